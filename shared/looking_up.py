"""What the HTTP functions of who knows whom do: the caller, the target, the answer."""

from __future__ import annotations

from shared import acquaintance_rows, choices, closeness, lookups, membership, stamps, targets
from shared.auth import Caller
from shared.choices import Choices
from shared.directory import directory
from shared.domains import company_of
from shared.errors import ForbiddenError, InvalidInputError
from shared.keys import keys
from shared.known_colleagues import AddressQuery, RecordQuery, WhoKnowsWhom
from shared.people import domain_of, normal_address
from shared.who_knows_whom import View, answer, user_of


def record(name: str, query: RecordQuery, who: Caller, now: int) -> WhoKnowsWhom:
    """Who knows a record's people. Raises NotFoundError when there is no such record."""
    view = View(who, now, query.own_order)
    return answer(targets.of_record(name, now, view.rule), view, query, exact=True)


def address(query: AddressQuery, who: Caller, now: int) -> WhoKnowsWhom:
    """Who knows an address or a domain. Raises InvalidInputError for none or both, TooManyRequestsError above the limit."""
    if bool(query.address) == bool(query.domain):
        raise InvalidInputError("give an address or a domain", "$.address")
    count(query, who, now)
    view = View(who, now, query.own_order)
    if query.address:
        found = targets.of_address(query.address, now, view.rule, view.ours)
    else:
        found = targets.of_domain(query.domain, now, view.rule)
    return answer(found, view, query, exact=False)


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
    return choices.of(_own_key(who))


def choose(who: Caller, chosen: Choices) -> Choices:
    """Put the caller's choices in force. Raises ForbiddenError for a caller who is none of our people."""
    return choices.choose(_own_key(who), chosen)


def _own_key(who: Caller) -> int:
    user = user_of(who, directory(stamps.read().people))
    if not user:
        raise ForbiddenError("The CRM has no user with your sign-in address.")
    return closeness.user_key(user)
