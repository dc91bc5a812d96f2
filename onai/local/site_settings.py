"""Settings of the demo's web server: the product's, and the page of its components beside it."""

from onai.settings import *  # noqa: F403

ROOT_URLCONF = "onai.local.site_urls"
