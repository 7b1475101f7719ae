"""Introductions: from the wish to the mail, the answer and the end, for the caller at hand."""

from __future__ import annotations

from msgspec.structs import replace

from shared import (
    choices,
    closeness,
    introduction_links,
    introduction_rows,
    introduction_sending,
    looking_up,
    organisation,
    rosters,
    row_rights,
    stamps,
    targets,
)
from shared.auth import Caller
from shared.choices import UNTOLD, Block
from shared.directory import Directory, directory
from shared.domains import company_of
from shared.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, RetryLaterError
from shared.introduction_mail import Mail, filled, mailto, spoken
from shared.introduction_requests import (
    Request,
    at,
    blocked_until,
    claimed,
    free_from,
    load,
    moved,
    outcomes,
    requested,
)
from shared.introduction_shapes import FilledMail, Requests, RequestView, Wanted
from shared.known_colleagues import AddressQuery, Introduction
from shared.meetings_of_three import seen_together
from shared.moments import instant
from shared.organisation_settings import Introductions
from shared.people import domain_of
from shared.reading import record_of
from shared.rosters import Roster
from shared.settings import settings
from shared.targets import Found
from shared.who_knows_whom import View, introduction_by, user_of
from shared.widgets import PersonRef

DO_NOT_ASK = "doNotAsk"


def preview(wanted: Wanted, who: Caller, link_base: str, now: int) -> FilledMail:
    """The mail for a wish, stored nowhere. Raises as `draft` does."""
    request, introduction = _drafted("preview", wanted, who, now)
    return _filled(request, introduction, link_base, now)


def draft(id: str, wanted: Wanted, who: Caller, now: int) -> RequestView:
    """Keep a wish as a draft under an id of the caller's choice; repeating it changes nothing.

    Raises ForbiddenError for who is none of our people, NotFoundError for a colleague who cannot be asked for this target,
    ConflictError where the colleague does not wish to be asked, or not now.
    """
    new, introduction = _drafted(id, wanted, who, now)
    _allow(introduction)
    introduction_rows.index(new.asker, new.introducer, id)

    def decide(held: list[Request], old: Request | None) -> Request:
        if old is None:
            return new
        if old.asker != new.asker:
            raise ConflictError("This id is taken.")
        return old

    return _view(introduction_rows.change(new.introducer, id, decide), _ours(), now)


def mail_of(id: str, who: Caller, link_base: str, now: int) -> FilledMail:
    """The mail of the caller's own draft."""
    request, introduction = _own_draft(id, who, now)
    return _filled(request, introduction, link_base, now)


def send(id: str, who: Caller, link_base: str, now: int) -> RequestView:
    """Send the mail of the caller's own draft, at most once: it is claimed before, and a claim is never taken twice.

    What Exchange does not take now is sent again by itself when Exchange says. Raises ForbiddenError where sending is not
    switched on, ConflictError where the request is no draft, or is being sent, or another mail of the caller's is, or the
    colleague may not be asked now.
    """
    request, introduction = _own_draft(id, who, now)
    if not _can_send(request):
        raise ForbiddenError("Sending is not switched on; use the draft.")
    _allow(introduction)
    try:
        return _changed(introduction_sending.send(request, _mail(request, link_base, now), link_base, _claim, now), now)
    except RetryLaterError:
        raise ConflictError("Another mail of yours is on its way; try again in a moment.") from None


def send_planned(introducer: str, id: str, link_base: str, tries: int, now: int) -> None:
    """Send a mail that Exchange did not take when its asker sent it, if that is still wished and nobody has done it since.

    Raises RetryLaterError while another mail of the asker's is on its way.
    """
    request = introduction_rows.read(introducer, id)
    if request is None or request.outbox != "planned" or not request.not_before or not _can_send(request):
        return
    if choices.of(closeness.user_key(introducer)).do_not_ask:
        return
    try:
        mail = _mail(request, link_base, now)
        _changed(introduction_sending.send(request, mail, link_base, _claim, now, tries), now)
    except ConflictError:
        return  # moved on by hand, or the colleague has been asked enough by now


def _can_send(request: Request) -> bool:
    return settings().send_introductions and bool(_ours().users[request.asker].emails)


def _claim(held: list[Request], old: Request | None, now: int) -> Request:
    return claimed(_within_cap(held, old, _rules(), now), now)


def move(id: str, state: str, who: Caller, now: int) -> RequestView:
    """Move a request by hand. Raises NotFoundError, ForbiddenError or ConflictError where that may not be."""
    user = _user(who)
    request = introduction_rows.find(user, id)
    return _moved(request.introducer, id, state, user, now)


def _moved(introducer: str, id: str, state: str, user: str, now: int) -> RequestView:
    rules = _rules()

    def decide(held: list[Request], old: Request | None) -> Request:
        request = present(old)
        if state == "requested" and request.state == "draft":
            _within_cap(held, request, rules, now)
        return moved(request, state, user, now, rules.expiry_days)

    return _changed(introduction_rows.change(introducer, id, decide), now)


def listed(role: str, who: Caller, now: int) -> Requests:
    """The caller's own requests as asker or introducer, newest first; an introducer sees no drafts."""
    user = _user(who)
    found = introduction_rows.of_asker(user) if role == "asker" else introduction_rows.of_introducer(user)
    shown = [one for one in found if role == "asker" or one.state != "draft"]
    ours = _ours()
    newest_first = sorted(shown, key=lambda one: (-one.created_at, one.id))
    return Requests(requests=[_view(one, ours, now) for one in newest_first], outcomes=outcomes(shown, now))


def answer(token: str, said: str, now: int) -> Request | None:
    """Answer by the link in the mail, which works once: `accepted`, `declined`, or `doNotAsk`, which declines this request and
    every further one. None where the link works no more."""
    request = introduction_links.behind(token, now)
    if request is None:
        return None
    if said == DO_NOT_ASK:
        key = closeness.user_key(request.introducer)
        choices.choose(key, replace(choices.of(key), do_not_ask=True))
    state = "declined" if said == DO_NOT_ASK else said
    rules = _rules()

    def decide(held: list[Request], old: Request | None) -> Request:
        request = present(old)
        if request.state == "unclear":  # the mail did arrive: here is its answer
            request = requested(request, now, rules.expiry_days)
        return moved(request, state, request.introducer, now, rules.expiry_days)

    try:
        changed = introduction_rows.change(request.introducer, request.id, decide)
    except ConflictError:
        return None
    _tell(changed.introducer, changed, now)
    return changed


def _drafted(id: str, wanted: Wanted, who: Caller, now: int) -> tuple[Request, Introduction]:
    view = View(who, now)
    if not view.user:
        raise ForbiddenError("The CRM has no user with your sign-in address.")
    found = _found(wanted.target, who, view, now)
    introduction = introduction_by(wanted.introducer, found, view)
    if introduction is None:
        raise NotFoundError("This colleague cannot be asked for this person.")
    about = _about(wanted.record, who) if wanted.record else None
    account = rosters.read(found.company) if found.company.startswith("account:") else None
    company = account.name if account else company_of(domain_of(found.target)) if "@" in found.target else ""
    request = Request(
        id=id,
        asker=view.user,
        introducer=wanted.introducer.removeprefix("user:"),
        target=found.target,
        target_name=found.name or found.target,
        company=company,
        record=about.record if about else "",
        record_name=about.name if about else "",
        reason=wanted.reason,
        language=spoken(wanted.language),
        created_at=now,
    )
    return request, introduction


def _found(target: str, who: Caller, view: View, now: int) -> Found:
    if ":" in target:
        record = _record(target, "$.target")
        if not record.startswith(("contact:", "lead:")):
            raise InvalidInputError("the target is a contact, a lead or an address", "$.target")
        row_rights.require(who, record)
        return targets.of_record(record, now, view.rule)
    looking_up.count(AddressQuery(address=target), who, now)
    return targets.of_address(target, now, view.rule, view.ours)


def _about(text: str, who: Caller) -> Roster | None:
    """The record that a wish is about, whose name stands in the mail: only one that the caller may read."""
    record = _record(text, "$.record")
    row_rights.require(who, record)
    return rosters.read(record)


def _record(text: str, path: str) -> str:
    kind, _, id = text.partition(":")
    try:
        return record_of({"type": kind, "id": id})
    except InvalidInputError as error:
        raise InvalidInputError(error.detail, path) from None


def _own_draft(id: str, who: Caller, now: int) -> tuple[Request, Introduction]:
    view = View(who, now)
    request = introduction_rows.find(view.user, id)
    if request.asker != view.user:
        raise NotFoundError("There is no such request.")
    for record in (request.target, request.record):
        if ":" in record:
            row_rights.require(who, record)
    found = (
        targets.of_record(request.target, now, view.rule)
        if ":" in request.target
        else targets.of_address(request.target, now, view.rule, view.ours)
    )
    introduction = introduction_by(f"user:{request.introducer}", found, view)
    return request, introduction or Introduction(possible=False, reason="do_not_ask")


def _allow(introduction: Introduction) -> None:
    if not introduction.possible:
        reasons = {"do_not_ask": "does not wish to be asked", "declined": "has declined not long ago"}
        raise ConflictError(f"The colleague {reasons.get(introduction.reason, 'has been asked enough for now')}.")


def _within_cap(held: list[Request], old: Request | None, rules: Introductions, now: int) -> Request:
    request = present(old)
    others = [one for one in held if one.id != request.id]
    if blocked_until(others, request.asker, request.target) > now:
        raise ConflictError("The colleague has declined this request not long ago.")
    if len(load(others, now)) >= rules.most_per_introducer:
        raise ConflictError("The colleague has been asked enough for now.")
    return request


def present(request: Request | None) -> Request:
    """The request that is there. Raises NotFoundError for none."""
    if request is None:
        raise NotFoundError("There is no such request.")
    return request


def _changed(request: Request, now: int) -> RequestView:
    _tell(request.introducer, request, now)
    return _view(request, _ours(), now)


def _tell(introducer: str, request: Request, now: int) -> None:
    """Have the buttons of everybody know whether this colleague may be asked."""
    if request.state == "declined":
        until = blocked_until([request], request.asker, request.target)
        choices.block(Block(introducer, request.asker, request.target), until)
    free = free_from(introduction_rows.of_introducer(introducer), _rules().most_per_introducer, now)
    until = UNTOLD if free is None else free if free > now else 0
    if choices.standing().blocks.get(Block(introducer), 0) != until:
        choices.block(Block(introducer), until)


def _filled(request: Request, introduction: Introduction, link_base: str, now: int) -> FilledMail:
    mail = _mail(request, link_base, now)
    sends = _can_send(request)
    return FilledMail(
        to=mail.to, subject=mail.subject, body=mail.body, mailto=mailto(mail), can_send=sends, introduction=introduction
    )


def _mail(request: Request, link_base: str, now: int) -> Mail:
    ours = _ours()
    introducer = ours.users[request.introducer]
    asker = ours.name(request.asker)
    values = {
        "asker.name": asker,
        "asker.firstName": asker.partition(" ")[0],
        "introducer.firstName": ours.name(request.introducer).partition(" ")[0],
        "target.name": request.target_name,
        "target.company": request.company,
        "record.name": request.record_name,
        "reason": request.reason,
    }
    link = introduction_links.link(link_base, request, now, _rules().expiry_days)
    template = introduction_rows.template(request.language)
    return filled(template, values, next(iter(introducer.emails), ""), request.language, link)


def _view(request: Request, ours: Directory, now: int) -> RequestView:
    request = at(request, now)
    return RequestView(
        id=request.id,
        state=request.state,
        outbox=request.outbox,
        note=request.note,
        asker=PersonRef(id=f"user:{request.asker}", name=ours.name(request.asker)),
        introducer=PersonRef(id=f"user:{request.introducer}", name=ours.name(request.introducer)),
        target=PersonRef(id=request.target, name=request.target_name),
        record=PersonRef(id=request.record, name=request.record_name) if request.record else None,
        created_at=instant(request.created_at),
        requested_at=_when(request.requested_at),
        expires_at=_when(request.expires_at),
        answered_at=_when(request.answered_at),
        closed_at=_when(request.closed_at),
        proposal="done" if request.state == "accepted" and seen_together(request, ours) else "",
    )


def _when(seconds: int) -> str | None:
    return instant(seconds) if seconds else None


def _user(who: Caller) -> str:
    user = user_of(who, _ours())
    if not user:
        raise ForbiddenError("The CRM has no user with your sign-in address.")
    return user


def _ours() -> Directory:
    return directory(stamps.read().people)


def _rules() -> Introductions:
    return organisation.in_force().introductions
