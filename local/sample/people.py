"""The people and companies of the sample: our users in sales teams, contacts in accounts, leads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from local.sample.draw import between, draw, guid, pick
from local.sample.mail import DAY, END, Mail, group

OUR_DOMAIN = "us.example"
ACCOUNTS, LARGEST_ACCOUNT = 30, 6
TEAMS, LARGEST_TEAM = 8, 12
LEAD_MAILS = 25  # customers with fewer mails, or first heard of late, are leads without an account
LEAD_DAYS = 90


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words("""
    Amara Anders Anita Arjun Astrid Bela Bruno Carla Chen Clara Dario Dilan Edda Elif Emil Esra Farid Fenja Gita
    Greta Hana Hugo Ida Ilias Ines Ivo Jana Jonas Joyce Kaito Katja Kemal Lara Leon Lin Luca Magda Malik Mara
    Milan Mina Nadia Nils Noor Olga Omar Paul Petra Quinn Rafael Rania Rosa Samir Selma Sven Tara Timo Uma
    Valentin Vera Viktor Wanda Yara Yusuf Zoe
""")
LAST_NAMES = _words("""
    Abel Adeyemi Almeida Arslan Baker Becker Bergstrom Bianchi Brandt Castillo Chandra Costa Dahl Demir Diallo
    Dubois Eklund Engel Falk Farah Fischer Fontaine Garcia Gruber Haddad Hansen Hofmann Ibrahim Ito Jansen
    Jensen Kaya Keller Kim Kovacs Kruger Lang Larsen Lehmann Lopez Maier Marino Mendes Moreau Mwangi Nagy
    Nakamura Novak Okafor Olsen Ortega Park Patel Petrov Ricci Rossi Sato Schmitt Silva Singh Sorensen Tanaka
    Toth Vega Vogel Weber Winter Yilmaz Zhang Ziegler
""")
COMPANY_NAMES = _words("""
    Alder Amber Aster Beacon Birch Cedar Cobalt Copper Coral Delta Ember Falcon Fjord Garnet Granite Harbor
    Hazel Heron Indigo Ivory Jasper Juniper Lagoon Larch Linden Maple Marble Meadow Merlin Mistral Nimbus Ochre
    Onyx Opal Orchid Osprey Pebble Pine Quartz Raven Ridge Rowan Saffron Sierra Slate Sparrow Summit Tundra
    Umber Willow
""")
INDUSTRIES = {
    "Energy": "Power",
    "Manufacturing": "Works",
    "Logistics": "Freight",
    "Retail": "Stores",
    "Healthcare": "Clinics",
    "Finance": "Capital",
}
REGIONS = ("EMEA", "North America", "Asia Pacific", "Latin America")
TITLES = ("Head of Purchasing", "Plant Manager", "Finance Director", "IT Lead", "Operations Manager", "Buyer")
# The recorded hours of the mails fit a working day in London; a few people elsewhere make business hours differ.
ZONES = ("Europe/London",) * 6 + ("Europe/Berlin",) * 3 + ("America/New_York",)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


@dataclass(frozen=True)
class Person:
    """Somebody with an address: `entity` is user, contact or lead; `company` is the key of the company, "" for users."""

    key: str
    entity: str
    name: str
    addresses: tuple[str, ...]
    company: str = ""

    @property
    def id(self) -> str:
        return guid(self.entity, self.key)


@dataclass(frozen=True)
class Company:
    """A customer company: an account, or where all we have is a lead, just a name."""

    key: str
    name: str
    domain: str
    industry: str
    region: str
    members: tuple[str, ...]

    @property
    def id(self) -> str:
        return guid("account", self.key)


def person_names(keys: Iterable[str]) -> dict[str, str]:
    """A name for each key, no name twice."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for key in sorted(keys):
        attempt = 0
        while (name := f"{pick(FIRST_NAMES, 'first', key, attempt)} {pick(LAST_NAMES, 'last', key, attempt)}") in taken:
            attempt += 1
        taken.add(name)
        names[key] = name
    return names


def address(name: str, domain: str) -> str:
    return f"{name.lower().replace(' ', '.')}@{domain}"


def choose_leads(customers: Iterable[str], mails: Sequence[Mail]) -> frozenset[str]:
    """Customers with fewer than 25 mails, or whose first mail lies in the last 90 days, are leads."""
    count = Counter(person for mail in mails for person in mail.people)
    first: dict[str, int] = {}
    for mail in mails:
        for person in mail.people:
            first.setdefault(person, mail.at)
    return frozenset(c for c in customers if count[c] < LEAD_MAILS or first[c] >= END - LEAD_DAYS * DAY)


def make_companies(contacts: Sequence[str], leads: Iterable[str], mails: Sequence[Mail]) -> list[Company]:
    """Accounts are contacts who are named on the same mails; each lead has a company of its own."""
    groups = group(contacts, mails, ACCOUNTS, LARGEST_ACCOUNT) + [(lead,) for lead in sorted(leads)]
    companies = []
    for number, members in enumerate(groups):
        industry = pick(tuple(INDUSTRIES), "industry", members[0])
        word = COMPANY_NAMES[number % len(COMPANY_NAMES)]
        domain = f"cust-{word}-{INDUSTRIES[industry]}.example".lower()
        region = pick(REGIONS, "region", members[0])
        companies.append(Company(members[0], f"{word} {INDUSTRIES[industry]}", domain, industry, region, members))
    return companies


def make_customers(companies: Iterable[Company], leads: frozenset[str]) -> dict[str, Person]:
    """Contacts and leads; every sixth contact, by draw, has a second address."""
    placed = {member: company for company in companies for member in company.members}
    names = person_names(placed)
    people = {}
    for key, company in placed.items():
        addresses = [address(names[key], company.domain)]
        if key not in leads and draw("second address", key) < 1 / 6:
            addresses.append(address(names[key], f"mail.{company.domain}"))
        entity = "lead" if key in leads else "contact"
        people[key] = Person(key, entity, names[key], tuple(addresses), company.key)
    return people


def make_users(sellers: Iterable[str]) -> dict[str, Person]:
    """Our people. Their keys go through `person_names` apart from the customers', so a name may be on both sides."""
    names = person_names(sellers)
    return {key: Person(key, "user", name, (address(name, OUR_DOMAIN),)) for key, name in names.items()}


def sales_teams(sellers: Iterable[str], mails: Sequence[Mail]) -> list[tuple[str, ...]]:
    """Teams of sellers who are named on the same mails; in each the one with the most mails leads, and stands first."""
    count = Counter(person for mail in mails for person in mail.people)
    teams = group(sorted(sellers), mails, TEAMS, LARGEST_TEAM)
    return [tuple(sorted(team, key=lambda person: (-count[person], person))) for team in teams]


def working_hours(key: str) -> dict[str, list[list[str]]]:
    """Full days for most, 9 to 15 for every tenth, no Friday for every twelfth."""
    hours = [["09:00", "15:00"]] if draw("part time", key) < 0.1 else [["08:30", "12:30"], ["13:15", "17:30"]]
    return {day: hours for day in WEEKDAYS if day != "fri" or draw("no friday", key) >= 1 / 12}


def days_off(key: str, year: int) -> list[str]:
    """New Year, Christmas, and two summer weeks of the person's own."""
    summer = [f"{year}-07-{1 + between(0, 2, 'summer', key) * 7 + day:02d}" for day in range(12)]
    return [f"{year}-01-01", *summer, f"{year}-12-25", f"{year}-12-26"]
