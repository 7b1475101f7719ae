"""One Graph simulator for all tests of it: each test finds it polite, and brings mailboxes of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.local.graph_process import RunningGraph, running_graph

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGraph]:
    with running_graph(tmp_path_factory.mktemp("graph")) as running:
        yield running


@pytest.fixture
def graph(simulator: RunningGraph) -> RunningGraph:
    simulator.control.post("reset")
    return simulator


@pytest.fixture
def new_mailbox(graph: RunningGraph) -> Callable[[], str]:
    """Gives the address of a new user with an empty mailbox."""

    def make() -> str:
        address = f"user{next(_numbers)}@us.example"
        graph.control.post("users", mail=address)
        return address

    return make


@pytest.fixture
def mailbox(new_mailbox: Callable[[], str]) -> str:
    return new_mailbox()
