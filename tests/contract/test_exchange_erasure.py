"""What Exchange told is kept as long as the settings say, or erased at once on demand; a signed receipt says what went."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from local.tokens import TENANT
from shared import exchange, organisation, partitions, publishing, stamps
from shared.auth import Caller
from shared.graph import administration as admin
from shared.graph import consent, consent_state, copies, erasures, lifecycle, mailboxes, runs
from shared.graph.administration import Switch
from shared.graph.client import graph as client
from shared.graph.consent import DAY, Scope, State
from shared.graph.erasures import ErasureReceipt
from shared.keys import keys
from shared.membership import person_anchor
from shared.organisation_settings import OrganisationSettings
from shared.publishing import SettingsChange
from shared.settings import settings
from tests.doubles.mailboxes import ANNA, BEN, KIM, ago, reading_from, tell_the_crm
from tests.doubles.queued import received
from tests.local.graph_process import RunningGraph, running_graph

NOW = int(time.time())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGraph]:
    with running_graph(tmp_path_factory.mktemp("graph")) as found:
        yield found


@pytest.fixture
def read(
    running: RunningGraph, storage: object, queues: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningGraph]:
    """Two mailboxes that are read: Anna's with two mails, Ben's with one; reading began yesterday."""
    running.control.post("reset")
    with reading_from(running, monkeypatch, TENANT, GRAPH_MODE="poll"):
        tell_the_crm()
        consent_state.change(lambda held: consent.enable(held, Scope(roles=("salesperson",)), NOW), NOW, "test")
        consent_state.change(lambda held: consent.probed(held, True, NOW), NOW, "test")
        for address, mails in ((ANNA, 2), (BEN, 1)):
            user = running.control.post("users", mail=f"{time.time_ns()}.{address}")
            for n in range(mails):
                running.control.mail(user["id"], **{"from": KIM, "to": [address], "at": ago((n + 1) / 10)})
            runs.connect(client(), user["id"], address, NOW)
        list(received("graph-lifecycle"))
        yield running


def held() -> int:
    return len(partitions.read(person_anchor(keys().address(KIM))).live.facts)


def work_off(now: int) -> None:
    """What the hourly timer begins, and what its messages ask for."""
    lifecycle.reconcile(client(), now)
    for body in received("graph-lifecycle"):
        lifecycle.handle(body)
    lifecycle.reconcile(client(), now)


def keep(days: int) -> None:
    who = Caller(id="admin", name="", roles=frozenset(), tenant="t")
    wanted = OrganisationSettings(exchange_keep_days=days)
    publishing.publish(SettingsChange(settings=wanted), stamps.read().parameters, who)
    assert organisation.in_force().exchange_keep_days == days


def only() -> ErasureReceipt:
    (receipt,) = erasures.receipts(NOW).receipts
    return receipt


def test_what_was_switched_off_is_kept_for_14_days(read: RunningGraph) -> None:
    assert held() == 3
    admin.switch(Switch(on=False), "admin", NOW)
    work_off(NOW + 14 * DAY - 1)
    assert held() == 3 and erasures.receipts(NOW).receipts == []
    assert {one.state for one in mailboxes.read_all()} == {"held"}
    work_off(NOW + 14 * DAY)
    assert held() == 0 and {one.state for one in mailboxes.read_all()} == {"gone"}
    assert consent_state.read().erased
    receipt = only()
    assert (receipt.status, receipt.reason, receipt.counts) == (
        "COMPLETED",
        "switchedOff",
        {"mailboxes": 2, "copies": 3},
    )


@pytest.mark.parametrize(("days", "passed"), [(0, 0), (3, 3), (90, 90)])
def test_how_long_it_is_kept_is_a_setting(read: RunningGraph, days: int, passed: int) -> None:
    keep(days)
    admin.disable("admin", NOW)
    if days:
        work_off(NOW + passed * DAY - 1)
        assert held() == 3
    work_off(NOW + passed * DAY)
    assert held() == 0 and only().reason == "disabled"


def test_erasing_at_once_does_not_wait(read: RunningGraph) -> None:
    admin.disable("admin", NOW)
    work_off(NOW + 1)
    assert held() == 3
    admin.disable("admin", NOW + 2, erase_now=True)  # pressed again, now with the offer taken
    work_off(NOW + 2)
    assert held() == 0 and consent_state.read().erased and not consent_state.read().erase_now
    assert [event.name for event in consent_state.history()][2:] == ["T11", "eraseNow", "erased"]


def test_nothing_is_erased_at_once_while_it_is_shown(read: RunningGraph) -> None:
    assert consent_state.change(consent.erase_at_once, NOW, "admin") is None
    admin.switch(Switch(on=False, erase_now=True), "admin", NOW)
    consent_state.change(lambda state: consent.switch_on(state, True, NOW + 1), NOW + 1, "admin")
    assert not consent_state.read().erase_now  # a later stop asks anew


def test_a_withdrawal_is_erased_without_delay_and_has_a_receipt(read: RunningGraph) -> None:
    for at in (NOW, NOW + 900):
        consent_state.change(lambda state, at=at: consent.probed(state, False, at), at, "timer")  # type: ignore[misc]
    assert consent_state.read().state is State.WITHDRAWN
    lifecycle.reconcile(client(), NOW + 900)
    assert (only().status, only().counts) == ("PROCESSING", {"mailboxes": 0, "copies": 0})
    assert erasures.receipts(NOW + 900 + DAY + 1).receipts[0].status == "FAILED"
    for body in received("graph-lifecycle"):
        lifecycle.handle(body)
    lifecycle.reconcile(client(), NOW + 1000)
    assert (only().status, only().reason) == ("COMPLETED", "withdrawn")
    assert held() == 0


def test_an_erasure_that_broke_off_counts_nothing_twice(read: RunningGraph) -> None:
    admin.disable("admin", NOW, erase_now=True)
    lifecycle.reconcile(client(), NOW)
    anna = next(one for one in mailboxes.read_all() if one.address == ANNA)
    erasures.note(consent_state.read(), anna.id)
    copies.remove_all(anna.id, NOW * 1000)  # and here the worker died
    work_off(NOW + 1)
    assert only().counts == {"mailboxes": 2, "copies": 3}


def test_a_receipt_that_reading_overtook_says_so(read: RunningGraph) -> None:
    admin.switch(Switch(on=False, erase_now=True), "admin", NOW)
    lifecycle.reconcile(client(), NOW)
    consent_state.change(lambda state: consent.switch_on(state, True, NOW + 1), NOW + 1, "admin")
    assert only().status == "STOPPED"


def test_the_signature_changes_with_what_it_signs_and_with_the_key(
    read: RunningGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.disable("admin", NOW, erase_now=True)
    work_off(NOW)
    before = only()
    assert only() == before and len(before.signature) == 64
    assert erasures.signed(replace(before, counts={"mailboxes": 1, "copies": 1})).signature != before.signature
    assert erasures.signed(before) == before
    monkeypatch.setenv("PERSON_KEY", "QW5vdGhlciBwZXJzb24ga2V5IG9mIGEgdGVzdC4uLi4=")
    settings.cache_clear()
    assert erasures.signed(before).signature != before.signature


def test_mailboxes_that_leave_the_scope_are_hidden_before_they_are_erased(
    read: RunningGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen() -> int:
        return len(exchange.shown(partitions.read(person_anchor(keys().address(KIM))).live)[0].facts)

    assert seen() == 3
    # The users of these mailboxes are not those that the directory has under the sellers' addresses: nobody is in scope.
    lifecycle.reconcile(client(), NOW)
    assert (held(), seen()) == (3, 0)
    (ben,) = (one for one in mailboxes.read_all() if one.address == BEN)
    runs.connect(client(), ben.id, BEN, NOW)  # and back before the erasure: read anew
    monkeypatch.setattr(exchange, "_held", None)  # the mark is known to be gone half a minute later
    assert seen() == 1
    known = mailboxes.read(ben.id)
    assert known and (known.state, known.hidden, known.connected_at) == ("connected", False, NOW)
    for body in received("graph-lifecycle"):
        lifecycle.handle(body)
    assert held() == 0


def test_a_mailbox_that_leaves_the_scope_needs_no_receipt(read: RunningGraph) -> None:
    (anna,) = (one for one in mailboxes.read_all() if one.address == ANNA)
    lifecycle.erase(client(), anna.id)
    gone = mailboxes.read(anna.id)
    assert gone and (gone.state, gone.address, held()) == ("gone", "", 1)
    assert erasures.receipts(NOW).receipts == []
