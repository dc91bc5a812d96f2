"""Every app, those of the stand-ins too, for the type checker."""

import os
from pathlib import Path

# The type checker does not clean up, so it gets a folder that may stay.
os.environ["ONAI_TEST_DIR"] = str(Path(".mypy_cache/onai").absolute())

import tests.settings  # noqa: F401 - sets the environment that the settings below read
from onai.local.settings import *  # noqa: F403
