"""Real storage and real queues for tests: one Azurite and one Service Bus stand-in a session, empty for every test."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.doubles.processes import forget
from tests.doubles.queue_client import cut_pauses_short
from tests.doubles.queued import STATUS_URL
from tests.local.azurite_process import RunningAzurite, running_azurite
from tests.local.bus_process import RunningBus, running_bus

# No verdict depends on how busy the machine is.
settings.register_profile("rapport", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rapport")

PERSON_KEY = base64.b64encode(b"the person key of all the tests.").decode()


@pytest.fixture(scope="session", autouse=True)
def _brisk_queue_client() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        cut_pauses_short(patch)
        yield


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAzurite]:
    """Azurite's tables in memory, for the whole session."""
    with running_azurite(tmp_path_factory.mktemp("azurite"), in_memory=True) as running:
        yield running


@pytest.fixture(scope="session")
def service_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBus]:
    """The Service Bus stand-in with the app's own queues, for the whole session. See fresh_queues."""
    with running_bus(tmp_path_factory.mktemp("bus")) as running:
        yield running


def fresh_storage(azurite: RunningAzurite, patch: pytest.MonkeyPatch) -> None:
    """Point the app's settings to Azurite, delete its tables, and forget what was remembered of them."""
    from shared import tables

    patch.setenv("TABLES", azurite.connection_string)
    patch.setenv("PERSON_KEY", PERSON_KEY)
    patch.setenv("TENANT_DOMAINS", "us.example")
    forget()
    for table in tables.service().list_tables():
        tables.service().delete_table(table.name)


def fresh_queues(bus: RunningBus, patch: pytest.MonkeyPatch) -> None:
    """Point the app's settings to the stand-in, and empty its queues."""
    patch.setenv("SERVICEBUS", bus.connection_string)
    patch.setenv(STATUS_URL, bus.status_url)
    bus.empty()
    forget()


@pytest.fixture
def storage(azurite: RunningAzurite, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningAzurite]:
    """Empty tables."""
    fresh_storage(azurite, monkeypatch)
    yield azurite
    forget()


@pytest.fixture
def queues(service_bus: RunningBus, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningBus]:
    """The app's queues, empty."""
    fresh_queues(service_bus, monkeypatch)
    yield service_bus
    forget()
