"""The rows of users, teams and records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from local.sample import people
from local.sample.cast import Clock
from local.sample.deals import Deal
from local.sample.draw import between, draw, guid, pick
from local.sample.mail import DAY, END
from local.sample.people import Company, Person
from local.sample.tenant import Tenant

STAGES = ("Qualify", "Develop", "Propose", "Close")
PRODUCTS = ("Platform", "Sensors", "Service", "Training")


def records(tenant: Tenant, clock: Clock) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Entity, id and attributes of everything that is no activity; what is referred to comes before what refers to it."""
    yield from _users(tenant, clock)
    for team in tenant.teams:
        members = [tenant.users[key].id for key in team]
        yield "team", guid("team", team[0]), {"name": f"Team {tenant.users[team[0]].name}", "members": members}
    for company in tenant.companies:
        if company.members[0] in tenant.contacts:
            yield "account", company.id, _account(tenant, company, clock)
    for key, person in tenant.contacts.items():
        yield "contact", person.id, _contact(tenant, key, person, clock)
    for lead in tenant.leads:
        yield "lead", lead.id, _lead(tenant, lead, clock)
    for deal in tenant.opportunities:
        yield "opportunity", deal.id, _deal(tenant, deal, clock) | _opportunity(tenant, deal, clock)
    for case in tenant.cases:
        priority = {"priority": pick(("low", "normal", "normal", "high"), "priority", case.key)}
        yield "case", case.id, _deal(tenant, case, clock) | priority


def _users(tenant: Tenant, clock: Clock) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each team's first is its manager; the first team's manages the managers; one person administers."""
    year = datetime.fromtimestamp(END + clock.shift, UTC).year
    head = tenant.teams[0][0]
    for team in tenant.teams:
        for key in team:
            person, leads = tenant.users[key], key == team[0]
            boss = head if leads else team[0]
            roles = ["sales-manager" if leads else "salesperson"] + ["system-administrator"] * (key == head)
            yield (
                "user",
                person.id,
                {
                    "name": person.name,
                    "emails": list(person.addresses),
                    "title": "Head of Sales" if key == head else "Sales Manager" if leads else "Account Manager",
                    "active": True,
                    "roles": roles,
                    "managerId": None if key == head else tenant.users[boss].id,
                    "timeZone": pick(people.ZONES, "zone", key),
                    "workingHours": people.working_hours(key),
                    "daysOff": people.days_off(key, year - 1) + people.days_off(key, year),
                },
            )


def _account(tenant: Tenant, company: Company, clock: Clock) -> dict[str, Any]:
    """Every seventh account, by draw, belongs to the team of its seller; its primary contact writes the most mails."""
    count = {member: len(tenant.by_customer[member]) for member in company.members}
    primary = max(count, key=lambda member: (count[member], member))
    seller = tenant.seller_of[primary]
    team = next(team for team in tenant.teams if seller in team)
    by_team = draw("team account", company.key) < 1 / 7
    return {
        "name": company.name,
        "ownerId": f"team:{guid('team', team[0])}" if by_team else f"user:{tenant.users[seller].id}",
        "primaryContactId": tenant.customers[primary].id,
        "state": "active",
        "createdAt": clock.text(min(tenant.by_customer[member][0].at for member in company.members) - DAY),
        "industry": company.industry,
        "region": company.region,
    }


def _contact(tenant: Tenant, key: str, person: Person, clock: Clock) -> dict[str, Any]:
    return {
        "name": person.name,
        "emails": list(person.addresses),
        "accountId": tenant.company_of[key].id,
        "jobTitle": pick(people.TITLES, "title", key),
        "ownerId": f"user:{tenant.users[tenant.seller_of[key]].id}",
        "state": "active",
        "createdAt": clock.text(tenant.by_customer[key][0].at),
    }


def _stakeholders(tenant: Tenant, deal: Deal) -> list[str]:
    return [tenant.contacts[key].id for key in deal.stakeholders if key in tenant.contacts]


def _lead(tenant: Tenant, lead: Deal, clock: Clock) -> dict[str, Any]:
    person = tenant.customers[lead.contact]
    return {
        "name": person.name,
        "emails": list(person.addresses),
        "companyName": tenant.company_of[lead.contact].name,
        "ownerId": f"user:{tenant.users[lead.owner].id}",
        "status": lead.status,
        "createdAt": clock.text(lead.created),
        "closedAt": clock.text(lead.closed) if lead.closed else None,
        "stakeholders": _stakeholders(tenant, lead),
    }


def _deal(tenant: Tenant, deal: Deal, clock: Clock) -> dict[str, Any]:
    """What opportunities and cases have in common."""
    company = tenant.company_of[deal.contact]
    return {
        "name": f"{company.name} {clock.text(deal.created)[:7]}",
        "accountId": company.id,
        "contactId": tenant.contacts[deal.contact].id,
        "ownerId": f"user:{tenant.users[deal.owner].id}",
        "status": deal.status,
        "createdAt": clock.text(deal.created),
        "closedAt": clock.text(deal.closed) if deal.closed else None,
        "team": [tenant.users[key].id for key in deal.team],
        "stakeholders": _stakeholders(tenant, deal),
    }


def _opportunity(tenant: Tenant, deal: Deal, clock: Clock) -> dict[str, Any]:
    """The amount grows with the mails; the estimate of the closing day is some weeks off, and some are overdue."""
    company = tenant.company_of[deal.contact]
    expected = (deal.closed or END) + between(-20, 45, "estimate", deal.key) * DAY
    return {
        "estimatedCloseAt": clock.text(max(expected, deal.created + DAY)),
        "amount": deal.mails * between(500, 3_000, "amount", deal.key) // 100 * 100,
        "currency": "EUR" if company.region == "EMEA" else "USD",
        "industry": company.industry,
        "region": company.region,
        "product": pick(PRODUCTS, "product", deal.key),
        "stage": STAGES[-1] if deal.closed else pick(STAGES, "stage", deal.key),
    }
