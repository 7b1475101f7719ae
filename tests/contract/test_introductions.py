"""Introductions on a real store: who may ask whom, states, the cap, the link in the mail."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest

from shared import introduction_page, introduction_rows, introductions, looking_up
from shared.auth import READER, Caller
from shared.choices import Choices
from shared.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from shared.introduction_mail import Template
from shared.introduction_shapes import RequestView, Wanted
from shared.known_colleagues import RecordQuery
from tests.doubles.talk import NOW, mail, organisation, told

DAY = 86_400
BASE = "https://app.example/api/introductions/answer"


def caller(name: str) -> Caller:
    return Caller(id=f"oid-{name}", name=name, roles=frozenset({READER}), tenant="t", address=f"{name}@us.example")


ANNA, BEN = caller("anna"), caller("ben")


def wanted(target: str = "contact:kim", introducer: str = "user:ben") -> Wanted:
    return Wanted(
        introducer=introducer, target=target, record="opportunity:deal", reason="We would like to show the new line."
    )


@pytest.fixture(autouse=True)
def _people(storage: object) -> None:
    told(
        [
            *organisation(),
            mail(4, "ben", "kim"),
            mail(4, "ben", "lee"),
            mail(4, "ben", "max"),
            mail(4, "ben", "jo@other.example"),
        ]
    )


def drafted(target: str = "contact:kim", who: Caller = ANNA, now: int = NOW) -> RequestView:
    return introductions.draft(str(uuid.uuid4()), wanted(target), who, now)


def asked(target: str = "contact:kim", who: Caller = ANNA, now: int = NOW) -> RequestView:
    """Kept as a draft and sent by hand."""
    return introductions.move(drafted(target, who, now).id, "requested", who, now)


def button(target: str = "contact:kim", who: Caller = ANNA, now: int = NOW) -> tuple[bool, str, str | None]:
    found = looking_up.record(target, RecordQuery(), who, now).colleagues[0].introduction
    return found.possible, found.reason, found.free_from


def token_of(request: RequestView, now: int = NOW) -> str:
    body = introductions.mail_of(request.id, ANNA, BASE, now).body
    link = next(word for word in body.split() if word.startswith(BASE))
    return parse_qs(urlsplit(link).query)["token"][0]


def test_the_preview_fills_the_template_and_gives_a_mailto_link() -> None:
    shown = introductions.preview(wanted(), ANNA, BASE, NOW)
    assert (shown.to, shown.subject) == ("ben@us.example", "Could you introduce me to Kim?")
    assert "you know Kim (Cust)." in shown.body
    assert "It is about Deal." in shown.body
    assert shown.mailto.startswith("mailto:ben@us.example?subject=Could%20you")
    assert not shown.can_send
    assert introductions.listed("asker", ANNA, NOW).requests == []


def test_a_draft_is_kept_once_whatever_is_repeated() -> None:
    id = str(uuid.uuid4())
    assert introductions.draft(id, wanted(), ANNA, NOW) == introductions.draft(id, wanted(), ANNA, NOW + 5)
    assert [one.id for one in introductions.listed("asker", ANNA, NOW).requests] == [id]
    assert introductions.listed("introducer", BEN, NOW).requests == []


def test_a_colleague_who_hides_or_knows_nobody_cannot_be_told_apart() -> None:
    with pytest.raises(NotFoundError) as unknown:
        introductions.draft(str(uuid.uuid4()), wanted(introducer="user:cleo"), ANNA, NOW)
    looking_up.choose(BEN, Choices(hide_name=True), NOW)
    with pytest.raises(NotFoundError) as hidden:
        drafted()
    assert hidden.value.detail == unknown.value.detail


def test_who_does_not_want_to_be_asked_is_not_asked() -> None:
    looking_up.choose(BEN, Choices(do_not_ask=True), NOW)
    with pytest.raises(ConflictError, match="does not wish"):
        drafted()


def test_strangers_and_companies_are_refused() -> None:
    with pytest.raises(ForbiddenError):
        drafted(who=caller("stranger"))
    with pytest.raises(InvalidInputError, match="a contact, a lead or an address"):
        drafted("account:cust")


def test_a_request_goes_from_draft_over_yes_to_done() -> None:
    request = asked()
    assert (request.state, request.expires_at) == ("requested", "2026-03-29T12:00:00Z")
    with pytest.raises(ForbiddenError):
        introductions.move(request.id, "accepted", ANNA, NOW)
    assert introductions.move(request.id, "accepted", BEN, NOW + DAY).state == "accepted"
    assert introductions.move(request.id, "done", ANNA, NOW + 2 * DAY).closed_at == "2026-03-17T12:00:00Z"
    assert introductions.listed("introducer", BEN, NOW + 2 * DAY).outcomes == {"done": 1}
    with pytest.raises(ConflictError):
        introductions.move(request.id, "cancelled", ANNA, NOW + 3 * DAY)


def test_a_request_of_others_is_not_there() -> None:
    request = asked()
    with pytest.raises(NotFoundError):
        introductions.move(request.id, "cancelled", caller("cleo"), NOW)


def test_a_request_without_answer_expires_after_14_days() -> None:
    request = asked()
    states = [introductions.listed("asker", ANNA, NOW + after).requests[0].state for after in (14 * DAY - 1, 14 * DAY)]
    assert states == ["requested", "expired"]
    with pytest.raises(ConflictError):
        introductions.move(request.id, "accepted", BEN, NOW + 14 * DAY)


def test_a_joint_interaction_after_the_yes_proposes_done() -> None:
    request = asked()
    introductions.move(request.id, "accepted", BEN, NOW)
    told([mail(1, "ben", "kim", "anna"), mail(-1, "ben", "kim")])
    assert introductions.listed("asker", ANNA, NOW).requests[0].proposal == ""
    told([mail(-2, "ben", "kim", "anna")])
    assert introductions.listed("asker", ANNA, NOW).requests[0].proposal == "done"


def test_at_most_three_requests_an_introducer_and_the_button_says_until_when() -> None:
    for target in ("contact:kim", "contact:lee", "contact:max"):
        asked(target)
    assert button() == (False, "at_capacity", "2026-04-14T12:00:00Z")
    with pytest.raises(ConflictError, match="enough for now"):
        drafted("jo@other.example")
    assert button(now=NOW + 30 * DAY) == (True, "", None)


def test_the_cap_holds_however_many_ask_at_once() -> None:
    drafts = [drafted(target).id for target in ("contact:kim", "contact:lee", "contact:max", "jo@other.example")] + [
        drafted().id
    ]

    def ask(id: str) -> bool:
        try:
            introductions.move(id, "requested", ANNA, NOW)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(ask, drafts)) == [False, False, True, True, True]


def test_a_refusal_blocks_the_same_three_for_90_days() -> None:
    introductions.move(asked().id, "declined", BEN, NOW)
    assert button() == (False, "declined", "2026-06-13T12:00:00Z")
    assert button("contact:lee") == (True, "", None)
    with pytest.raises(ConflictError, match="declined not long ago"):
        drafted()
    assert button(now=NOW + 90 * DAY) == (True, "", None)


def test_the_link_asks_first_and_works_once() -> None:
    request = asked()
    token = token_of(request)
    status, page = introduction_page.question(token, NOW)
    assert (status, "Anna asks you for an introduction to Kim (2026-03-15)." in page) == (200, True)
    assert introductions.listed("asker", ANNA, NOW).requests[0].state == "requested"
    status, page = introduction_page.answered(f"token={token}&answer=accepted".encode(), NOW)
    assert (status, "Thank you" in page) == (200, True)
    assert introductions.listed("asker", ANNA, NOW).requests[0].state == "accepted"
    assert introduction_page.answered(f"token={token}&answer=declined".encode(), NOW)[0] == 410
    assert introduction_page.question(token, NOW)[0] == 410


def test_a_link_of_ours_only_and_in_time_only() -> None:
    token = token_of(asked())
    assert introduction_page.question(f"x{token}", NOW)[0] == 410
    assert introduction_page.question(token, NOW + 14 * DAY)[0] == 410
    assert introduction_page.answered(f"token={token}&answer=done".encode(), NOW)[0] == 410


def test_a_link_works_as_long_as_the_request_however_old_the_draft_was() -> None:
    request, sent = drafted(), NOW + 20 * DAY
    token = token_of(request, sent)
    introductions.move(request.id, "requested", ANNA, sent)
    assert introduction_page.question(token, sent + 14 * DAY - 1)[0] == 200
    assert introduction_page.question(token, sent + 14 * DAY)[0] == 410


def test_the_introducer_can_ask_from_the_mail_not_to_be_asked_again() -> None:
    looking_up.choose(BEN, Choices(do_not_ask_for=("cust.example",)), NOW)
    request = asked("jo@other.example")
    token = token_of(request)
    assert 'value="doNotAsk"' in introduction_page.question(token, NOW)[1]
    status, page = introduction_page.answered(f"token={token}&answer=doNotAsk".encode(), NOW)
    assert (status, "You will not be asked for introductions any more" in page) == (200, True)
    assert looking_up.my_choices(BEN) == Choices(do_not_ask=True, do_not_ask_for=("cust.example",))
    assert introductions.listed("asker", ANNA, NOW).requests[0].state == "declined"
    assert button("contact:max") == (False, "do_not_ask", None)
    looking_up.choose(BEN, Choices(), NOW)
    introduction_page.answered(f"token={token}&answer=doNotAsk".encode(), NOW)  # used
    assert looking_up.my_choices(BEN) == Choices()


def test_the_administrators_template_is_used() -> None:
    introduction_rows.save_template("en", Template("Please, {introducer.firstName}", "For {target.name}: {reason}"))
    shown = introductions.preview(wanted(), ANNA, BASE, NOW)
    assert (shown.subject, shown.body.split("\n")[0]) == ("Please, Ben", "For Kim: We would like to show the new line.")


def test_the_mail_is_in_the_language_that_was_asked_for() -> None:
    wish = Wanted(introducer="user:ben", target="contact:kim", language="de-AT")
    assert introductions.preview(wish, ANNA, BASE, NOW).subject == "Stellen Sie mich Kim vor?"
