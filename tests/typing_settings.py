"""Every app there is, the stand-ins' too, for the type checker."""

import tests.settings  # noqa: F401 - sets the environment that the settings below read
from onai.local.settings import *  # noqa: F403
