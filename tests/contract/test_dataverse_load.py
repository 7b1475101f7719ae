"""Loading from Dataverse, against a simulator of its Web API: everything arrives once, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.dataverse.app import App, RefusedError
from scripts.dataverse.load import Load, survey
from scripts.dataverse.progress import OtherLoadError, Progress
from scripts.dataverse.webapi import MOST_REQUESTS, WebApi, WebApiError
from shared.changes import Change, Ref
from shared.crm.state import merged_state
from tests.doubles import dataverse_sales as sales
from tests.doubles.changes_inbox import Inbox, inbox
from tests.doubles.dataverse import TOKEN, Dataverse, dataverse, guid

DAY = 86_400.0
MEETING_START = 1_767_686_400  # 2026-01-06T08:00:00Z


@pytest.fixture
def crm() -> Iterator[Dataverse]:
    with dataverse() as running:
        yield running


@pytest.fixture
def app() -> Iterator[Inbox]:
    with inbox() as running:
        yield running


def api_of(crm: Dataverse) -> WebApi:
    return WebApi(crm.address, lambda: TOKEN, pause=crm.clock.pause, clock=crm.clock)


def run(crm: Dataverse, app: Inbox, file: Path, page: int = 500, left_out: list[str] | None = None) -> int:
    """One run of the load, as the command does it; how many changes were sent."""
    api, sink = api_of(crm), App(app.address, lambda: "token", pause=crm.clock.pause)
    if left_out is not None:
        sink.left_out = lambda change, reason: left_out.append(change["id"])
    progress = Progress(file, "crm", "app")
    try:
        return Load(api, sink, progress, page).run()
    finally:
        for one in (api, sink, progress):
            one.close()


def gets(crm: Dataverse, entity_set: str) -> list[str]:
    return [address for method, address in crm.log if method == "GET" and f"/{entity_set}?" in address]


def test_records_arrive_with_all_that_their_row_says(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    sales.fill(crm)
    assert run(crm, app, tmp_path / "load.db") > 0
    deal = app.attributes("opportunity", sales.DEAL)
    assert deal | {"createdAt": 0, "closedAt": None} == {
        "name": "Line 3",
        "accountId": sales.CUSTOMER,
        "contactId": sales.KIM,
        "ownerId": f"team:{sales.SELLERS}",
        "amount": 50_000.0,
        "currency": "Euro",
        "estimatedCloseAt": 1_774_915_200,
        "status": "open",
        "stage": None,
        "createdAt": 0,
        "closedAt": None,
    }
    assert app.attributes("contact", sales.KIM)["email1"] == "kim@cust.example"
    assert app.attributes("account", sales.CUSTOMER)["industry"] == "7"
    assert app.attributes("case", sales.CASE)["name"] == "Broken"
    assert app.attributes("lead", sales.LEAD)["status"] == "open"
    assert app.attributes("user", sales.BEN)["active"] is False


def test_activities_arrive_with_their_participants(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    sales.fill(crm)
    run(crm, app, tmp_path / "load.db")
    anna, kim = f"user:{sales.ANNA}", f"contact:{sales.KIM}"
    mail = app.attributes("email", sales.MAIL)
    assert mail["from"] == {"address": "anna@us.example", "party": anna, "name": "Anna Ahlers"}
    assert mail["to"] == [{"address": "kim@cust.example", "party": kim, "name": "Kim Kunz"}]
    assert mail["cc"] == [{"address": "stranger@else.example"}]
    assert (mail["status"], mail["opens"], mail["regarding"]) == ("sent", 2, [f"opportunity:{sales.DEAL}"])
    assert "never read" not in str(mail)
    assert "secret" not in str(mail)
    meeting = app.attributes("appointment", sales.MEETING)
    assert (meeting["organizer"]["party"], meeting["attendees"][0]["party"], meeting["start"]) == (
        anna,
        kim,
        MEETING_START,
    )
    assert "Room 1" not in str(meeting)
    assert app.attributes("phonecall", sales.CALL)["to"][0]["party"] == kim
    assert app.attributes("task", sales.TASK)["owner"] == anna


def test_people_of_a_deal_come_from_connections_and_access_teams(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    sales.fill(crm)
    run(crm, app, tmp_path / "load.db")
    assert app.members("opportunity", sales.DEAL, "stakeholders") == (sales.LEE,)
    assert app.members("opportunity", sales.DEAL, "team") == tuple(sorted((sales.ANNA, sales.BEN)))
    assert app.members("team", sales.SELLERS, "members") == tuple(sorted((sales.ANNA, sales.BEN)))
    assert app.members("user", sales.ANNA, "roles") == (sales.ROLE,)
    assert app.attributes("role", sales.ROLE) == {"name": "Sales Person"}


def test_a_private_meeting_leaves_nothing_but_the_mark(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    sales.fill(crm)
    crm.put("appointment", sales.MEETING, ismapiprivate=True)
    run(crm, app, tmp_path / "load.db")
    assert app.attributes("appointment", sales.MEETING) == {"private": True}


def test_a_second_run_reads_only_what_has_changed(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    sales.fill(crm)
    run(crm, app, tmp_path / "load.db")
    assert run(crm, app, tmp_path / "load.db") == 0
    crm.put("contact", sales.KIM, jobtitle="Head of it")
    crm.remove("task", sales.TASK)
    crm.clock.now += 600
    app.changes.clear()
    assert run(crm, app, tmp_path / "load.db") == 2
    assert [(one.entity, one.id, one.operation) for one in app.changes] == [
        ("contact", sales.KIM, "upsert"),
        ("task", sales.TASK, "delete"),
    ]
    assert app.states["task", sales.TASK].deleted is not None
    assert len(gets(crm, "contacts")) == 3
    assert all("deltatoken" in address for address in gets(crm, "contacts")[1:])


def test_members_who_leave_are_told(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    sales.fill(crm)
    run(crm, app, tmp_path / "load.db")
    crm.remove("teammembership", guid(sales.SELLERS, sales.BEN))
    crm.remove("teammembership", guid(sales.ACCESS, sales.BEN))
    crm.remove("systemuserroles", guid("roles"))
    crm.clock.now += 600
    assert run(crm, app, tmp_path / "load.db") == 4  # each team, the user, the deal
    assert app.members("team", sales.SELLERS, "members") == (sales.ANNA,)
    assert app.members("opportunity", sales.DEAL, "team") == (sales.ANNA,)
    assert app.members("user", sales.ANNA, "roles") == ()


def test_a_role_that_is_renamed_or_deleted_is_told(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    sales.fill(crm)
    run(crm, app, tmp_path / "load.db")
    crm.put("role", sales.ROLE, name="Seller")
    crm.clock.now += 600
    assert run(crm, app, tmp_path / "load.db") == 1
    assert app.attributes("role", sales.ROLE) == {"name": "Seller"}
    crm.remove("role", sales.ROLE)
    crm.clock.now += 600
    assert run(crm, app, tmp_path / "load.db") == 1
    assert app.states["role", sales.ROLE].deleted is not None


@pytest.mark.parametrize("change", ["deactivated", "ended", "deleted", "deleted at once", "moved"])
def test_a_connection_that_ends_takes_its_person_away(crm: Dataverse, app: Inbox, tmp_path: Path, change: str) -> None:
    sales.fill(crm)
    if change == "deleted at once":
        crm.put("connection", sales.STAKE, statecode=0)  # nobody waits for two minutes to be over
    run(crm, app, tmp_path / "load.db")
    assert app.members("opportunity", sales.DEAL, "stakeholders") == (sales.LEE,)
    match change:
        case "deactivated":
            crm.put("connection", sales.STAKE, statecode=1)
        case "ended":
            crm.put("connection", sales.STAKE, effectiveend="2026-01-01T00:00:00Z")
        case "moved":
            crm.clock.now += 1
            crm.put("connection", sales.STAKE, record2id=("contact", sales.KIM, ""))
        case _:
            crm.remove("connection", sales.STAKE)
    run(crm, app, tmp_path / "load.db")
    expected = (sales.KIM,) if change == "moved" else ()
    assert app.members("opportunity", sales.DEAL, "stakeholders") == expected


@pytest.mark.parametrize("end", ["deactivated", "deleted"])
def test_a_person_with_two_roles_leaves_with_the_last_of_them(
    crm: Dataverse, app: Inbox, tmp_path: Path, end: str
) -> None:
    """Each connection has two rows in Dataverse, one from each end; a second role is another two."""
    deal, lee = ("opportunity", sales.DEAL, ""), ("contact", sales.LEE, "")
    reverse, second = guid("reverse"), guid("second role")

    def ended(id: str) -> None:
        if end == "deleted":
            crm.remove("connection", id)
        else:
            crm.put("connection", id, statecode=1)

    sales.fill(crm)
    crm.put("connection", reverse, record1id=lee, record2id=deal, statecode=0)
    crm.put("connection", second, record1id=deal, record2id=lee, statecode=0)
    run(crm, app, tmp_path / "load.db")
    crm.clock.now += 600
    ended(sales.STAKE)
    ended(reverse)
    crm.clock.now += 600
    version, gone = int(crm.clock() - 600) * 1000, [Ref("contact", sales.LEE)]
    by_webhook = Change("opportunity", sales.DEAL, version, "unlink", relationship="stakeholders", related=gone)
    app.states["opportunity", sales.DEAL] = merged_state(app.states["opportunity", sales.DEAL], by_webhook)
    run(crm, app, tmp_path / "load.db", page=1)
    assert app.members("opportunity", sales.DEAL, "stakeholders") == (sales.LEE,)
    crm.clock.now += 600
    ended(second)
    run(crm, app, tmp_path / "load.db", page=1)
    assert app.members("opportunity", sales.DEAL, "stakeholders") == ()


def test_a_deal_closes_within_its_closing_day(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    """The closing date has no time of day; a change made long after it does not move it."""
    sales.fill(crm)
    crm.put("opportunity", sales.DEAL, statecode=1, statuscode=3, actualclosedate="2025-12-01", actualvalue=48_000.0)
    crm.clock.now += 600
    run(crm, app, tmp_path / "load.db")
    deal = app.attributes("opportunity", sales.DEAL)
    assert (deal["status"], deal["amount"], deal["closedAt"]) == (
        "won",
        48_000.0,
        1_764_633_599,
    )  # 2025-12-01T23:59:59Z


def test_a_closed_lead_keeps_the_closing_that_was_first_seen(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    sales.fill(crm)
    closed = int(crm.clock())
    crm.put("lead", sales.LEAD, statecode=1)
    run(crm, app, tmp_path / "load.db")
    crm.clock.now += 30 * DAY / 10
    crm.put("lead", sales.LEAD, companyname="Renamed")
    run(crm, app, tmp_path / "load.db")
    lead = app.attributes("lead", sales.LEAD)
    assert (lead["companyName"], lead["closedAt"]) == ("Renamed", closed)
    crm.clock.now += 600
    crm.put("lead", sales.LEAD, statecode=0)
    run(crm, app, tmp_path / "load.db")
    assert app.attributes("lead", sales.LEAD)["closedAt"] is None


def test_a_webhook_of_the_same_second_is_not_overwritten_by_a_row_read_in_it(
    crm: Dataverse, app: Inbox, tmp_path: Path
) -> None:
    """What is read within a transaction's reach of its change may be followed by another write of the same second."""
    crm.put("contact", sales.KIM, jobtitle="read")
    run(crm, app, tmp_path / "load.db")
    (change,) = app.changes
    assert change.version == int(crm.clock()) * 1000
    crm.clock.now += 600
    crm.put("contact", sales.LEE, jobtitle="rested")
    crm.clock.now += 600
    run(crm, app, tmp_path / "load.db")
    assert app.changes[-1].version == (int(crm.clock()) - 600) * 1000 + 999


def many(crm: Dataverse, contacts: int) -> None:
    sales.fill(crm)
    for number in range(contacts):
        crm.put("contact", guid("many", number), fullname=f"Person {number}", emailaddress1=f"p{number}@cust.example")
    crm.clock.now += 600


def test_pages_are_followed_to_the_end(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    many(crm, 23)
    run(crm, app, tmp_path / "load.db", page=5)
    assert len(gets(crm, "contacts")) == 5
    assert len([key for key in app.states if key[0] == "contact"]) == 25


@pytest.mark.parametrize("limit", ["number", "time"])
def test_protection_limits_are_waited_for(crm: Dataverse, app: Inbox, tmp_path: Path, limit: str) -> None:
    many(crm, 23)
    if limit == "number":
        crm.limits.requests = 15
    else:
        crm.limits.milliseconds = 400  # 20 a request
    run(crm, app, tmp_path / "load.db", page=5)
    assert crm.limits.refused > 0
    assert crm.limits.impatient == 0
    assert len([key for key in app.states if key[0] == "contact"]) == 25


def test_limits_are_not_reached_in_the_first_place(crm: Dataverse) -> None:
    """Whoever shares the user with the load keeps a sixth of what Dataverse allows."""
    api = api_of(crm)
    start = crm.clock()
    api._sent.extend([start] * MOST_REQUESTS)
    api.get("WhoAmI")
    api.close()
    assert crm.clock() >= start + 300
    assert crm.limits.refused == 0


def test_passing_failures_are_tried_again(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    sales.fill(crm)
    crm.fail = [503, 502]
    app.fail = [503, 429]
    run(crm, app, tmp_path / "load.db")
    assert app.attributes("task", sales.TASK)["status"] == "open"


def test_a_link_that_has_run_out_reads_everything_and_finds_what_has_gone(
    crm: Dataverse, app: Inbox, tmp_path: Path
) -> None:
    sales.fill(crm)
    run(crm, app, tmp_path / "load.db")
    crm.clock.now += 8 * DAY
    crm.remove("contact", sales.LEE)
    crm.put("contact", sales.KIM, jobtitle="Head of it")
    crm.clock.now += 600
    run(crm, app, tmp_path / "load.db")
    assert app.states["contact", sales.LEE].deleted is not None
    assert app.states["contact", sales.KIM].deleted is None
    assert app.attributes("contact", sales.KIM)["jobTitle"] == "Head of it"
    assert run(crm, app, tmp_path / "load.db") == 0


def test_without_change_tracking_a_table_is_read_whole_each_time(app: Inbox, tmp_path: Path) -> None:
    with dataverse(untracked=("task", "connection")) as crm:
        sales.fill(crm)
        run(crm, app, tmp_path / "load.db")
        crm.remove("task", sales.TASK)
        crm.remove("connection", sales.STAKE)
        crm.clock.now += 600
        run(crm, app, tmp_path / "load.db")
        assert app.states["task", sales.TASK].deleted is not None
        assert app.members("opportunity", sales.DEAL, "stakeholders") == ()


def test_an_environment_without_sales_and_service_loads_the_rest(app: Inbox, tmp_path: Path) -> None:
    with dataverse(absent=("lead", "opportunity", "incident")) as crm:
        sales.fill(crm)
        run(crm, app, tmp_path / "load.db")
    assert {entity for entity, _ in app.states} >= {"account", "contact", "email", "user"}
    assert "lead" not in {entity for entity, _ in app.states}


class KilledError(Exception):
    """Stands for a process that is gone."""


def test_a_load_that_is_killed_anywhere_ends_like_one_that_was_not(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    many(crm, 12)
    run(crm, app, tmp_path / "calm.db", page=4)
    calm, posts = app.content(), 0
    while True:  # killed before its first, second, third ... request to the app or to the file
        with inbox() as other:
            if not killed_at(posts, crm, other, tmp_path / f"{posts}.db"):
                break
            run(crm, other, tmp_path / f"{posts}.db", page=4)
            assert other.content() == calm
        posts += 1
    assert posts == 15  # tables and pages


def killed_at(posts: int, crm: Dataverse, app: Inbox, file: Path) -> bool:
    """Run until so many pages were taken by the app; the next one is taken, but not remembered."""
    left = [posts]

    class Mortal(Progress):
        def page(self, *arguments: object) -> None:  # type: ignore[override]
            left[0] -= 1
            if left[0] < 0:
                raise KilledError
            super().page(*arguments)  # type: ignore[arg-type]

    api, sink, progress = api_of(crm), App(app.address, lambda: "token"), Mortal(file, "crm", "app")
    try:
        Load(api, sink, progress, page=4).run()
    except KilledError:
        return True
    finally:
        for one in (api, sink, progress):
            one.close()
    return False


def test_a_load_goes_on_where_it_was_killed(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    many(crm, 20)
    assert killed_at(6, crm, app, tmp_path / "load.db")
    before = len(crm.log)
    run(crm, app, tmp_path / "load.db", page=4)
    asked = [address for _, address in crm.log[before:] if "/contacts?" in address]
    assert "skiptoken=12" in asked[0]


def test_a_row_that_cannot_be_understood_stops_no_other(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    sales.fill(crm)
    crowd = [sales.Party(2, None, f"p{number}@cust.example") for number in range(5_001)]
    sales.add_parties(crm, ("email", guid("crowded")), crowd)
    crm.put("email", guid("crowded"), statecode=1, statuscode=3, senton="2026-01-05T09:30:00Z")
    left_out: list[str] = []
    run(crm, app, tmp_path / "load.db", left_out=left_out)
    assert left_out == [guid("crowded")]
    assert ("email", sales.MAIL) in app.states


def test_an_app_that_refuses_stops_the_load(crm: Dataverse, app: Inbox, tmp_path: Path) -> None:
    sales.fill(crm)
    app.fail = [403]
    with pytest.raises(RefusedError, match="403"):
        run(crm, app, tmp_path / "load.db")
    run(crm, app, tmp_path / "load.db")
    assert ("task", sales.TASK) in app.states


def test_the_file_of_another_load_is_not_used(tmp_path: Path) -> None:
    Progress(tmp_path / "load.db", "crm", "app").close()
    with pytest.raises(OtherLoadError, match="another --state"):
        Progress(tmp_path / "load.db", "crm", "elsewhere")


def test_the_token_goes_to_no_other_host(crm: Dataverse) -> None:
    api = api_of(crm)
    with pytest.raises(WebApiError, match="another host"):
        api.get("https://else.example/api/data/v9.2/accounts")
    api.close()
    assert crm.log == []


def test_a_dry_run_sends_nothing_and_names_every_query(
    crm: Dataverse, app: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sales.fill(crm)
    api = api_of(crm)
    survey(api, ["contact", "task"])
    api.close()
    shown = capsys.readouterr().out
    assert "contact: about 2 rows, changes tracked" in shown
    assert "GET contacts?$select=contactid,createdon,emailaddress1" in shown
    assert {method for method, _ in crm.log} == {"GET"}
    assert app.changes == []
