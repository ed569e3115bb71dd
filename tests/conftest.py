"""Settings for all tests."""

import pytest
from hypothesis import settings

from tests.recordings_table import RecordingsTable

# How long an example takes says more about the machine than about the code.
settings.register_profile("uniapi", deadline=None)
settings.load_profile("uniapi")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(RecordingsTable())
