"""Every app there is, the stand-ins' too, for the type checker."""

import os

# The type checker leaves without cleaning up, so it gets a folder that may stay.
os.environ["ONAI_TEST_DIR"] = ".mypy_cache/onai"

import tests.settings  # noqa: F401 - sets the environment that the settings below read
from onai.local.settings import *  # noqa: F403
