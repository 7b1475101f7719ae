"""Connection upkeep: probes and their consequences, mailboxes that join and leave, subscriptions and their events."""

from __future__ import annotations

import time
from collections.abc import Iterable

from shared import acquaintance_rows, closeness, insights, organisation, record_updates, telemetry
from shared.errors import RetryLaterError
from shared.graph import (
    consent,
    consent_state,
    copies,
    erasures,
    folders,
    hiding,
    leases,
    mailboxes,
    own_addresses,
    probe,
    reading,
    runs,
    scope,
    subscriptions,
    throttle,
    witnesses,
    work,
)
from shared.graph.calls import GraphCallError
from shared.graph.client import Graph, graph
from shared.graph.consent import Consent, State, Transition
from shared.graph.leases import OutOfTimeError, StoppedError
from shared.graph.mailboxes import Mailbox
from shared.graph.work import Backfill, Dirty, Lifecycle
from shared.settings import settings

STALLED_SECONDS = 1_800
# Seconds over which work on many mailboxes is spread, well below the time between two rounds of it.
CATCH_UP_OVER, UPKEEP_OVER = 600, 1_800


def handle(body: bytes) -> None:
    """Do what a message of the lifecycle queue says. Raises RetryLaterError while Graph is busy or away."""
    task, now = work.read(body, Lifecycle), int(time.time())
    try:
        _do(task, now)
    except GraphCallError as error:
        if error.is_passing:
            raise RetryLaterError("Graph does not answer.", seconds=error.wait) from None
        if not error.is_denied:
            raise
        work.send([Lifecycle(do="probe")])


def _do(task: Lifecycle, now: int) -> None:
    match task.do:
        case "compare":
            compare_subscriptions(graph(), now)
        case "introduce":
            from shared import introductions

            introductions.send_planned(task.mailbox, task.subscription, task.address, task.tries, now)
        case "probe":
            check(now, "timer", task.mailbox)
        case "reconcile":
            reconcile(graph(), now)
        case "hold":
            hold(graph(), task.mailbox)
        case "erase":
            erase(graph(), task.mailbox)
        case "connect":
            _join(task, now)
        case "recompute":
            recompute_all()
        case _:
            _subscription_event(task, now)


def check(now: int, by: str, witness: str = "") -> Transition | None:
    """Probe the connection and draw the conclusion. `witness`: a mailbox that refused; alone in that, it is parked."""
    state = consent_state.read()
    if not state.wants_probe:
        return None
    passes = probe.passes(graph(), state.scope, witness, now, unproven=state.state is State.PENDING_CONSENT)
    telemetry.count("rapport.consent.probes", passes=str(passes))
    if passes and witness and witnesses.last_passed() != witness:
        park(graph(), witness, now)
    done = consent_state.change(lambda current: consent.probed(current, passes, now), now, by)
    follow(done, now)
    return done


def passes_now(now: int) -> bool | None:
    """Whether the chosen mailboxes can be read; None for no evidence."""
    return probe.passes(graph(), consent_state.read().scope, "", now)


def follow(done: Transition | None, now: int) -> None:
    """Have done what a transition entails. All of it is safe to repeat, and the hourly timer repeats what got lost."""
    if done is None:
        return
    if done.name == "suspect":
        work.send([Lifecycle(do="probe")], due=now + consent.CONFIRM_AFTER + 1)
        return
    work.send([Lifecycle(do="reconcile")])
    if done.name in ("T7", "T9"):
        catch_up(mailbox.id for mailbox in mailboxes.read_all() if mailbox.state == "connected")
    if done.name in ("T6", "T7", "T8", "T11"):
        work.send([Lifecycle(do="recompute")])


def recompute_all() -> None:
    """Have everything stored brought in line with what may be seen now: snapshots, who knows whom, who met whom.

    Readers do not wait for it: what is older than the change is computed anew when it is asked for.
    """
    state = consent_state.read()
    if not state.is_visible:
        closeness.forget_before(state.changed_at)
    record_updates.announce({*insights.all_records(), *acquaintance_rows.by_themselves()}, bulk=True)


def catch_up(ids: Iterable[str]) -> None:
    """Have mailboxes read from where they stand, without anybody having told of a change; many of them over ten minutes."""
    work.spread([Dirty(id, kind, settled=True) for id in ids for kind in work.KINDS], time.time(), CATCH_UP_OVER)


def reconcile(client: Graph, now: int) -> None:
    """Bring mailboxes in line with the consent and the chosen scope: join, hold, erase."""
    state, known = consent_state.read(), {mailbox.id: mailbox for mailbox in mailboxes.read_all()}
    if state.is_visible:
        if state.is_reading:
            tasks = _scope_tasks(client, state, known, now)
            work.send([task for task in tasks if task.do != "connect"])  # who leaves does not wait
            work.spread([task for task in tasks if task.do == "connect"], now, UPKEEP_OVER)
            work.spread([Backfill(one.id) for one in known.values() if _has_stalled(one, now)], now, UPKEEP_OVER)
        runs.finish_backfill(now)
        return
    left = [mailbox for mailbox in known.values() if mailbox.state != "gone"]
    if state.is_erasing(now, organisation.in_force().exchange_keep_days * consent.DAY):
        if not state.erased:
            erasures.begin(state, now)
        work.send([Lifecycle(do="erase", mailbox=mailbox.id) for mailbox in left])
    else:
        work.send([Lifecycle(do="hold", mailbox=mailbox.id) for mailbox in left if mailbox.state == "connected"])
    if not left and not state.erased:
        erasures.end(state, now)
        consent_state.change(consent.erased, now, "timer")


def _has_stalled(mailbox: Mailbox, now: int) -> bool:
    """Whether nobody goes on reading its past; a second reader beside a living one would only wait for its lease."""
    unfinished = mailbox.state == "connected" and mailbox.mail_from > 0 and not mailbox.is_backfilled
    return unfinished and max(mailbox.backfilled_at, mailbox.not_before) < now - STALLED_SECONDS


def _scope_tasks(client: Graph, state: Consent, known: dict[str, Mailbox], now: int) -> list[Lifecycle]:
    """Who joins, whose data goes, hidden from now on, and who only stops being read (people who are no longer active)."""
    from msgspec.structs import replace

    wanted = {member.id: member for member in scope.members(client, state.scope)}
    inactive = {member.id for member in scope.members(client, replace(state.scope, include_inactive=True))}
    joining = [id for id in wanted if id not in known or (known[id].is_unfinished and known[id].parked_until <= now)]
    leaving = [mailbox for id, mailbox in known.items() if id not in wanted and mailbox.state != "gone"]
    tasks = [Lifecycle(do="connect", mailbox=id, address=wanted[id].address) for id in joining]
    erasing = [one for one in leaving if one.id not in inactive]
    hiding.hide(erasing, now)
    tasks += [Lifecycle(do="erase", mailbox=one.id) for one in erasing]
    return tasks + [Lifecycle(do="hold", mailbox=o.id) for o in leaving if o.id in inactive and o.state == "connected"]


def _join(task: Lifecycle, now: int) -> None:
    if not consent_state.read().is_reading or _waits(task, mailboxes.read(task.mailbox), now):
        return
    with leases.lease(task.mailbox, "sync", now) as run:
        try:
            runs.connect(graph(), task.mailbox, task.address, now, run)
        except OutOfTimeError:
            work.send([task])
        except StoppedError:
            return  # it left while it was joining
        except GraphCallError as error:
            throttle.refused(error, task, Mailbox(id=task.mailbox, address=task.address), now)


def _waits(task: Lifecycle, mailbox: Mailbox | None, now: int) -> bool:
    """Whether the mailbox may not be called yet; the message comes back when it may."""
    if mailbox is None or mailbox.not_before <= now:
        return False
    work.again(task, mailbox.not_before)
    return True


def hold(client: Graph, id: str) -> None:
    """Stop reading a mailbox; what it told is kept."""
    mailboxes.change(id, state="held")
    _unsubscribe(client, id)


def park(client: Graph, id: str, now: int) -> None:
    """The tenant lets us in and this mailbox does not: it left the scope in Exchange. Try again tomorrow."""
    _unsubscribe(client, id)
    mailboxes.change(id, parked_until=now + throttle.PARKED_SECONDS, error="ErrorAccessDenied")


def erase(client: Graph, id: str) -> None:
    """Stop reading a mailbox and take out everything that it told; what others hold too stays.

    Raises RetryLaterError while somebody still reads it: from the mark on no run of it begins, and one that is under way ends
    before it writes anything more.
    """
    mailboxes.change(id, state="held")
    _unsubscribe(client, id)
    now = time.time()
    with leases.lease(id, "sync", now), leases.lease(id, "backfill", now):
        _take_out(id)


def _take_out(id: str) -> None:
    erasures.note(consent_state.read(), id)
    copies.remove_all(id, reading.revision_now())
    mailboxes.forget(id)
    held = mailboxes.read(id) or Mailbox(id=id, address="")
    # Which days were counted stays: the totals hold them, and say nothing of anybody.
    first, last = held.private_from, held.private_until
    mailboxes.put(Mailbox(id=id, address="", state="gone", private_from=first, private_until=last))
    own_addresses.ends(held.address)


def _unsubscribe(client: Graph, id: str) -> None:
    for subscription in subscriptions.read_all():
        if subscription.mailbox == id:
            subscriptions.delete(client, subscription)


def _subscription_event(task: Lifecycle, now: int) -> None:
    if not consent_state.read().is_reading:
        return
    mailbox = mailboxes.read(task.mailbox)
    if mailbox is None or mailbox.state != "connected" or mailbox.parked_until > now or _waits(task, mailbox, now):
        return
    try:
        if _mended(graph(), task, mailbox, now):
            catch_up([mailbox.id])
    except GraphCallError as error:
        throttle.refused(error, task, mailbox, now)


def _mended(client: Graph, task: Lifecycle, mailbox: Mailbox, now: int) -> bool:
    """See to the subscription, or to the folders; whether the mailbox must be read again."""
    if task.do == "folders":
        # It may have been made soon after the last look, which may have been days ago.
        folders.discover(client, mailbox.id, now - reading.LONGEST_GAP if mailbox.mail_from else 0)
        return True
    if task.do == "missed":
        telemetry.count("rapport.graph.missed")
        return True
    held = subscriptions.read(task.subscription)
    if task.do in ("renew", "reauthorizationRequired") and held and subscriptions.renew(client, held):
        return False
    if task.do == "subscriptionRemoved" and task.subscription:
        subscriptions.drop(task.subscription)
    return subscriptions.ensure(client, mailbox.id, now) > 0


def renew_due(now: int) -> int:
    """Have every subscription renewed that ends within three days; how many. A few a second, as Graph asks."""
    due = [each for each in subscriptions.read_all() if each.expires - now < subscriptions.RENEW_BELOW]
    for position, each in enumerate(sorted(due, key=lambda each: each.id)):
        task = Lifecycle(do="renew", subscription=each.id, mailbox=each.mailbox)
        work.send([task], due=now + position // 5)
    return len(due)


def daily(now: int) -> None:
    """Once a day: new folders of all mailboxes, with what has come in the meantime; subscriptions compared with Graph's list.

    And what a run that should have stopped wrote of a mailbox after it was erased goes, too.
    """
    known = mailboxes.read_all()
    gone = [mailbox.id for mailbox in known if mailbox.state == "gone"]
    work.send([Lifecycle(do="erase", mailbox=id) for id in gone if copies.are_held(id)])
    if not consent_state.read().is_reading:
        return
    kept = [mailbox.id for mailbox in known if mailbox.state == "connected"]
    work.spread([Lifecycle(do="folders", mailbox=id) for id in kept], now, UPKEEP_OVER)
    if settings().graph_mode == "push":
        work.send([Lifecycle(do="compare")])


def compare_subscriptions(client: Graph, now: int) -> None:
    """Compare our subscriptions with Graph's list, have those made that mailboxes lack, and end those of mailboxes that left."""
    if not consent_state.read().is_reading:
        return
    lost, strangers = subscriptions.reconcile(client)
    telemetry.count("rapport.graph.subscriptions_lost", len(lost))
    telemetry.count("rapport.graph.subscriptions_strange", strangers)
    held = subscriptions.read_all()
    kept = {mailbox.id for mailbox in mailboxes.read_all() if mailbox.state == "connected"}
    for each in held:
        if each.mailbox not in kept:
            subscriptions.delete(client, each)
    lacking = [id for id in sorted(kept) if subscriptions.missing(held, id, now)]
    work.spread([Lifecycle(do="subscriptionRemoved", mailbox=id) for id in lacking], now, UPKEEP_OVER)
