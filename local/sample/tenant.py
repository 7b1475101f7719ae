"""The sample tenant: the people, their mails and their deals, from which every row is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property

from local.sample import deals, people
from local.sample.deals import Deal
from local.sample.mail import DAY, END, Mail, choose_sellers, crosses, read_mails, weeks_until
from local.sample.people import Company, Person
from local.sample.threads import Threads, threads


@dataclass(frozen=True)
class Tenant:
    """Everything that the rows are written from. Keys are the network's numbers; instants as recorded, before `shift`."""

    mails: list[Mail]
    threads: Threads
    users: dict[str, Person]
    teams: list[tuple[str, ...]]
    companies: list[Company]
    customers: dict[str, Person]
    opportunities: list[Deal]
    cases: list[Deal]
    leads: list[Deal]
    shift: int
    version: int

    @cached_property
    def contacts(self) -> dict[str, Person]:
        return {key: person for key, person in self.customers.items() if person.entity == "contact"}

    @cached_property
    def company_of(self) -> dict[str, Company]:
        return {member: company for company in self.companies for member in company.members}

    @cached_property
    def by_customer(self) -> dict[str, list[Mail]]:
        return deals.by_customer(self.mails, self.customers)

    @cached_property
    def seller_of(self) -> dict[str, str]:
        """The colleague with the most mails with each customer."""
        found = {}
        for customer, mails in self.by_customer.items():
            count = {us: sum(us in mail.people for mail in mails) for us in self.users}
            found[customer] = max(count, key=lambda us: (count[us], us))
        return found


def build(today: date) -> Tenant:
    """Make the tenant; the last mail falls into the seven days before `today`. The same `today` gives the same tenant."""
    everything = read_mails()
    sellers = choose_sellers(everything)
    mails = [mail for mail in everything if crosses(mail, sellers)]
    customers = {person for mail in mails for person in mail.people} - sellers
    still_leads = people.choose_leads(customers, mails)
    companies = people.make_companies(sorted(customers - still_leads), still_leads, everything)
    talk, found = threads(mails), deals.by_customer(mails, customers)
    return Tenant(
        mails=mails,
        threads=talk,
        users=people.make_users(sellers),
        teams=people.sales_teams(sellers, everything),
        companies=companies,
        customers=people.make_customers(companies, still_leads),
        opportunities=deals.opportunities(found, customers - still_leads, sellers),
        cases=deals.cases(mails, talk, customers - still_leads, sellers),
        leads=deals.leads(found, still_leads, sellers),
        shift=weeks_until(mails[-1].at, today),
        version=int(datetime.combine(today, time(), UTC).timestamp()) * 1_000,
    )


def chosen_records(tenant: Tenant) -> dict[str, str]:
    """One id a record type, worth looking at: an open opportunity with much recent mail, its contact and account,
    and the open lead and open case with the most mails.
    """

    def busiest(found: list[Deal]) -> Deal:
        def recent(deal: Deal) -> int:
            return sum(mail.at >= END - 60 * DAY for mail in tenant.by_customer[deal.contact])

        return max((deal for deal in found if deal.closed is None), key=lambda deal: (recent(deal), deal.key))

    deal = busiest(tenant.opportunities)
    return {
        "account": tenant.company_of[deal.contact].id,
        "contact": tenant.contacts[deal.contact].id,
        "lead": busiest(tenant.leads).id,
        "opportunity": deal.id,
        "case": busiest(tenant.cases).id,
    }
