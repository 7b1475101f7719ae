"""A small sales department in the simulator: two sellers, a customer with two contacts, a deal, its mails and meetings."""

from __future__ import annotations

from dataclasses import dataclass

from tests.doubles.dataverse import Dataverse, guid

ANNA, BEN = guid("anna"), guid("ben")
SELLERS, ACCESS, ROLE = guid("sellers"), guid("access"), guid("role")
CUSTOMER, KIM, LEE = guid("customer"), guid("kim"), guid("lee")
LEAD, DEAL, CASE = guid("lead"), guid("deal"), guid("case")
MAIL, MEETING, CALL, TASK = guid("mail"), guid("meeting"), guid("call"), guid("task")
STAKE, SALES_TEAM = guid("stake"), guid("sales team")


@dataclass(frozen=True)
class Party:
    """A participant: role, row it points at, address."""

    mask: int
    target: tuple[str, str, str] | None
    address: str | None = None


ANNA_PARTY = ("systemuser", ANNA, "Anna Ahlers")
KIM_PARTY = ("contact", KIM, "Kim Kunz")


def add_parties(crm: Dataverse, activity: tuple[str, str], parties: list[Party]) -> None:
    """Participants of an activity."""
    for number, party in enumerate(parties):
        crm.put(
            "activityparty",
            guid(activity[1], number),
            activityid=(activity[0], activity[1], ""),
            partyid=party.target,
            participationtypemask=party.mask,
            addressused=party.address,
        )


def fill_people(crm: Dataverse) -> None:
    """Users, teams, roles."""
    crm.put("systemuser", ANNA, fullname="Anna Ahlers", internalemailaddress="anna@us.example", isdisabled=False)
    crm.put("systemuser", BEN, fullname="Ben Bauer", internalemailaddress="BEN@us.example", isdisabled=True)
    crm.put("team", SELLERS, name="Sellers", teamtype=0)
    crm.put("team", ACCESS, name="access team", teamtype=1, regardingobjectid=("opportunity", DEAL, "Line 3"))
    for team, user in ((SELLERS, ANNA), (SELLERS, BEN), (ACCESS, BEN)):
        crm.put("teammembership", guid(team, user), teamid=team, systemuserid=user)
    crm.put("role", ROLE, name="Sales Person")
    crm.put("systemuserroles", guid("roles"), systemuserid=ANNA, roleid=ROLE)


def fill_records(crm: Dataverse) -> None:
    """Customer, contacts, lead, deal, case, and who belongs to the deal."""
    anna = ("systemuser", ANNA, "Anna Ahlers")
    crm.put("account", CUSTOMER, name="Contoso", ownerid=anna, industrycode=7, address1_country="DE", statecode=0)
    company = ("account", CUSTOMER, "Contoso")
    crm.put(
        "contact", KIM, fullname="Kim Kunz", emailaddress1="Kim@cust.example", parentcustomerid=company, statecode=0
    )
    crm.put(
        "contact", LEE, fullname="Lee Lang", emailaddress1="lee@cust.example", parentcustomerid=company, statecode=0
    )
    crm.put("lead", LEAD, fullname="Mo Maas", emailaddress1="mo@new.example", companyname="New", statecode=0)
    crm.put(
        "opportunity", DEAL, name="Line 3", customerid=company, parentcontactid=KIM_PARTY, ownerid=("team", SELLERS, "Sellers"),
        estimatedvalue=50_000.0, estimatedclosedate="2026-03-31",
        transactioncurrencyid=("transactioncurrency", guid("euro"), "Euro"), statecode=0, statuscode=1,
    )  # fmt: skip
    crm.put("incident", CASE, title="Broken", customerid=company, ownerid=anna, prioritycode=1, statecode=0)
    deal = ("opportunity", DEAL, "Line 3")
    crm.put("connection", STAKE, record1id=deal, record2id=("contact", LEE, "Lee Lang"), statecode=0)
    crm.put("connection", SALES_TEAM, record1id=anna, record2id=deal, statecode=0)
    crm.put("connection", guid("friends"), record1id=KIM_PARTY, record2id=("contact", LEE, ""), statecode=0)


def fill_activities(crm: Dataverse) -> None:
    """A mail, a meeting in a room, a call, a task."""
    deal = ("opportunity", DEAL, "Line 3")
    crm.put(
        "email", MAIL, senton="2026-01-05T09:30:00Z", statecode=1, statuscode=3, messageid="<1@us.example>", opencount=2,
        isemailfollowed=True, regardingobjectid=deal, subject="is never read",
    )  # fmt: skip
    sender, receiver = Party(1, ANNA_PARTY, "anna@us.example"), Party(2, KIM_PARTY, "kim@cust.example")
    others = [Party(3, None, "stranger@else.example"), Party(4, None, "secret@else.example"), Party(9, ANNA_PARTY)]
    add_parties(crm, ("email", MAIL), [sender, receiver, *others])
    crm.put(
        "appointment", MEETING, scheduledstart="2026-01-06T08:00:00Z", scheduledend="2026-01-06T09:00:00Z", statecode=3,
        isalldayevent=False, ismapiprivate=False, regardingobjectid=deal,
    )  # fmt: skip
    room = Party(10, ("equipment", guid("room"), "Room 1"))
    add_parties(
        crm, ("appointment", MEETING), [Party(7, ANNA_PARTY), Party(5, KIM_PARTY), Party(6, None, "x@y.example"), room]
    )
    crm.put(
        "phonecall", CALL, directioncode=True, actualend="2026-01-06T10:00:00Z", actualdurationminutes=12, statecode=1
    )
    add_parties(crm, ("phonecall", CALL), [Party(1, ANNA_PARTY), Party(2, KIM_PARTY)])
    crm.put("task", TASK, ownerid=("systemuser", ANNA, ""), scheduledend="2026-01-09T10:00:00Z", statecode=0)


def fill(crm: Dataverse) -> None:
    """Everything above; then ten minutes pass, so that nothing is under way any more."""
    fill_people(crm)
    fill_records(crm)
    fill_activities(crm)
    crm.clock.now += 600
