"""What the HTTP functions of who knows whom do: the caller, the target, the answer."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from shared import (
    access_log,
    acquaintance_rows,
    acquaintance_updates,
    choices,
    erasure,
    lookups,
    membership,
    row_rights,
    stamps,
    targets,
    tombstones,
)
from shared.access_log import Accesses, AccessQuery
from shared.auth import Caller
from shared.choices import Choices
from shared.directory import Directory, directory, user_keys
from shared.domains import company_of
from shared.errors import ForbiddenError, InvalidInputError
from shared.keys import keys
from shared.known_colleagues import AddressQuery, KnownColleague, RecordQuery, WhoKnowsWhom
from shared.people import domain_of, normal_address
from shared.receipts import Receipt
from shared.resolutions import Resolution
from shared.who_knows_whom import View, answer, user_of


def record(name: str, query: RecordQuery, who: Caller, now: int) -> WhoKnowsWhom:
    """Who knows a record's people. Raises NotFoundError for no such record, ForbiddenError for one the caller may not read."""
    row_rights.require(who, name)
    view = View(who, now, query.own_order)
    about = targets.of_record(name, now, view.rule)
    people = [person.id for _, person in about.rows if person]  # of a deal or a case, contacts with rights of their own
    exact = {about.target, *(row_rights.rights().readable(who, people) if people else ())}
    found = answer(about, view, query, exact)
    _note(who, name, found, now)
    return _in_words(found, query.language)


def address(query: AddressQuery, who: Caller, now: int) -> WhoKnowsWhom:
    """Who knows an address or a domain. Raises InvalidInputError for none or both, TooManyRequestsError above the limit."""
    if bool(query.address) == bool(query.domain):
        raise InvalidInputError("give an address or a domain", "$.address")
    view = View(who, now, query.own_order)
    count(query, who, now)
    if query.address:
        found = targets.of_address(query.address, now, view.rule, view.ours)
    else:
        found = targets.of_domain(query.domain, now, view.rule)
    readable = row_rights.rights().readable(who, [each.id for each in found.records])
    found = replace(found, records=tuple(each for each in found.records if each.id in readable))
    shown = answer(found, view, query, exact=())
    _note(who, _key_of(query), shown, now)
    return _in_words(shown, query.language)


def _in_words(shown: WhoKnowsWhom, language: str) -> WhoKnowsWhom:
    if not language:
        return shown
    from shared.sentences import evidence_line

    def told(each: KnownColleague) -> KnownColleague:
        return replace(each, evidence=replace(each.evidence, text=evidence_line(each.evidence, language)))

    colleagues, alternatives = list(map(told, shown.colleagues)), list(map(told, shown.alternatives))
    return replace(shown, colleagues=colleagues, alternatives=alternatives)


def _note(who: Caller, target: str, shown: WhoKnowsWhom, now: int) -> None:
    people = [each.person.id for each in (*shown.colleagues, *shown.alternatives)]
    named = [keys().party(id) if id.startswith("user:") else keys().address(id) for id in people]
    access_log.note(who, target, "who knows whom", now, named)


def resolve(address: str, who: Caller, now: int) -> Resolution:
    """What an address resolves to; the reading is noted. Raises InvalidInputError for what is no address."""
    from shared import identity

    found = identity.resolve(address)
    key = keys().address(found.address)
    access_log.note(who, membership.person_anchor(key), "resolution", now, [key])
    return found


def my_accesses(who: Caller, query: AccessQuery, now: int) -> Accesses:
    """What others read about the caller. Raises ForbiddenError for a caller who is none of our people."""
    return access_log.of_subject(own(who).keys, who.id, query, now)


def count(query: AddressQuery, who: Caller, now: int) -> None:
    """Count and log a question about an address or domain. Raises TooManyRequestsError above the limit."""
    lookups.count(who.id, _key_of(query), now)


def _key_of(query: AddressQuery) -> str:
    """The key under which a question is logged; what is malformed is refused before it counts."""
    place = "address" if query.address else "domain"
    try:
        normal = normal_address(query.address or f"x@{query.domain}")
    except ValueError:
        raise InvalidInputError(f"this is no mail {place}", f"$.{place}") from None
    if query.address:
        return membership.person_anchor(keys().address(normal))
    return acquaintance_rows.domain_anchor(company_of(domain_of(normal)) or domain_of(normal))


def my_choices(who: Caller) -> Choices:
    """The caller's own choices. Raises ForbiddenError for a caller who is none of our people."""
    return choices.of(own(who).key)


def choose(who: Caller, chosen: Choices, now: int) -> Choices:
    """Put the caller's choices in force; opting out begins the erasure, taking it back ends the hiding.

    Raises ForbiddenError for a caller who is none of our people.
    """
    caller = own(who)
    after = choices.choose(caller.key, chosen)
    mine, buried = set(caller.keys), tombstones.read()
    if (
        after.opt_out and not mine <= buried
    ):  # by what is done and not by the choice before: that may have come no further
        erasure.begin(caller.receipt, mine, now, caller.user)
    elif not after.opt_out and mine & buried:
        erasure.end(mine, now)
    return after


def my_receipt(who: Caller, now: int) -> Receipt:
    """How far the erasure of the caller's data has come. Raises NotFoundError, ForbiddenError."""
    return erasure.receipt(own(who).receipt, now)


def opt_out(address: str, now: int) -> Receipt:
    """Take a person out of the product who cannot do it alone: an outside person, under all addresses of the contacts or leads
    that have this one; a former colleague; one of ours whom the CRM does not know.

    Raises InvalidInputError for what is no address, and for an active user of the CRM, who chooses without anybody else.
    """
    ours = directory(stamps.read().people)
    try:
        normal = normal_address(address)
    except ValueError:
        raise InvalidInputError("this is no e-mail address", "$.address") from None
    if ours.is_internal(normal, ""):
        return _erased_colleague(normal, ours, now)
    own = keys().address(normal)
    person = membership.person_anchor(own)
    owners = acquaintance_updates.owners(person, acquaintance_updates.claimants(person))
    gone = {own, *(key for owner in owners for key in acquaintance_updates.people_of(owner, ()))}
    erasure.begin(f"{own:016x}", gone, now, names={normal, *(owner.record for owner in owners)})
    return erasure.receipt(f"{own:016x}", now)


def _erased_colleague(address: str, ours: Directory, now: int) -> Receipt:
    user = ours.users.get(ours.address_owner.get(address, ""))
    if user and user.active:
        raise InvalidInputError("our own people opt out by themselves", "$.address")
    gone = user_keys(user) if user else [keys().address(address)]
    erasure.begin(f"{gone[0]:016x}", gone, now, user.id if user else "")
    return erasure.receipt(f"{gone[0]:016x}", now)


class Own(Struct, frozen=True):
    """The caller as one of ours: the key first under which choices are kept, all keys, and the CRM's user, if there is one."""

    keys: tuple[int, ...]
    address: str
    user: str = ""

    @property
    def key(self) -> int:
        """The person's own key."""
        return self.keys[0]

    @property
    def receipt(self) -> str:
        """The id of the receipt of an erasure."""
        return f"{self.key:016x}"


def own(who: Caller) -> Own:
    """The caller among our people: the CRM's user with the sign-in address, else the address itself, where it is one of ours.

    Raises ForbiddenError for everybody else, such as guests and apps.
    """
    ours = directory(stamps.read().people)
    if user := user_of(who, ours):
        return Own(tuple(user_keys(ours.users[user])), who.address, user)
    try:
        address = normal_address(who.address)
    except ValueError:
        address = ""
    if not address or not ours.is_internal(address, ""):
        raise ForbiddenError("This is for our own people, and your sign-in address is none of ours.")
    return Own((keys().address(address),), address)
