"""pytest plugin: the client's tests talk to the Hub at $HUB_URL instead of the staging Hub."""

import os

from tests import testing_constants

testing_constants.ENDPOINT_STAGING = os.environ["HUB_URL"]
