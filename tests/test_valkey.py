"""Where the private server listens: short enough for a socket, and in a folder of ours alone."""

import os
from pathlib import Path

import pytest

from aftercare import valkey


def test_it_listens_inside_the_data_folder() -> None:
    assert valkey.socket_path(Path("/srv/aftercare/var")) == Path(
        "/srv/aftercare/var/valkey/valkey.sock"
    )


def test_a_deep_data_folder_gets_a_short_path_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    one, other = (valkey.socket_path(Path("/srv", "deep" * 30, name)) for name in ("one", "other"))
    assert one != other
    for path in (one, other):
        assert path.is_relative_to("/run/user/1000")
        assert len(os.fsencode(path)) < 104


def test_only_we_may_enter_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "valkey"
    folder.mkdir(mode=0o777)
    valkey.make_private(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_somebody_else_prepared_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "valkey"
    link.symlink_to(tmp_path)
    with pytest.raises(PermissionError):
        valkey.make_private(link)


def test_a_server_that_is_not_there_does_not_answer(tmp_path: Path) -> None:
    assert not valkey.answers(tmp_path / "valkey.sock")
