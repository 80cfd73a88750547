"""The site's own settings, and what the peers and the bare page need besides."""

from aftercare.settings import *  # noqa: F403
from aftercare.settings import INSTALLED_APPS as OURS

ROOT_URLCONF = "tests.bench.urls"
INSTALLED_APPS = [*OURS, "procrastinate.contrib.django"]
PROCRASTINATE_IMPORT_PATHS = ["tests.bench.peers.jobs"]
# Whose pages are measured is signed in by their session alone.
SECOND_FACTOR_REQUIRED = False
