"""What every attack meets: two clinics that must not see one another."""

from __future__ import annotations

import pytest

from tests.attack.scene import Scene, make_scene


@pytest.fixture
def ours(db: None) -> Scene:
    return make_scene(slug="lakeside", number=1)


@pytest.fixture
def theirs(db: None) -> Scene:
    return make_scene(slug="hillside", number=2)
