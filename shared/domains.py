"""Mail domains as companies: which domain stands for a company, and which is only where somebody has a mailbox.

A company is the registrable part of a domain by the Public Suffix List (`mail.cust.co.uk` is `cust.co.uk`), unless settings say
that it is another brand of a company. Free-mail providers, partners and other shared domains are nobody's company: the people
are people, the domain says nothing about them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from shared.settings import settings

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

# Providers at which anybody may have a mailbox, in every country (`yahoo.co.jp`): a company of that name is the provider.
_EVERYWHERE = """
    aliyun aol bigpond bluewin btinternet eircom fastmail freemail freenet gmail gmx googlemail hotmail hushmail icloud
    interia kolabnow laposte libero mailfence msn netscape ntlworld optonline outlook pobox posteo proton protonmail qq
    rambler rediffmail rocketmail sbcglobal sohu sympatico t-online talktalk tiscali tutanota ukr virgilio virginmedia
    wanadoo windowslive yahoo yandex ymail
"""
# Names that others may have too count as providers under these domains alone.
_OUTRIGHT = """
    126.com 139.com 163.com abv.bg aim.com att.net bellsouth.net centrum.cz charter.net comcast.net cox.net daum.net duck.com
    earthlink.net email.com email.cz email.de email.it hey.com inbox.com inbox.lv inbox.ru juno.com live.com live.co.uk
    live.de live.fr live.nl mac.com mail.com mail.de mail.ee mail.ru mailbox.org me.com naver.com o2.co.uk o2.pl onet.eu
    onet.pl online.de online.no orange.fr orange.net pm.me sapo.pt seznam.cz sfr.fr shaw.ca simplelogin.com sina.cn sina.com
    sky.com telenet.be terra.com.br uol.com.br verizon.net web.de wp.pl ya.ru yeah.net zoho.com zoho.eu
"""
PROVIDERS = frozenset(_EVERYWHERE.split())
PROVIDER_DOMAINS = frozenset(_OUTRIGHT.split())


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


@lru_cache(maxsize=65_536)
def registrable(domain: str) -> str:
    """The part of a normal domain that somebody registered; empty for a public suffix itself and for no domain.

    >>> registrable("mail.cust.co.uk"), registrable("co.uk"), registrable("")
    ('cust.co.uk', '', '')
    """
    return (_suffixes().privatesuffix(domain) or "") if domain else ""


def is_shared(domain: str) -> bool:
    """Say whether a registrable domain belongs to a provider of mailboxes.

    >>> [is_shared(domain) for domain in ("gmail.com", "yahoo.co.jp", "web.de", "web.example", "cust.example")]
    [True, True, True, False, False]
    """
    return domain.partition(".")[0] in PROVIDERS or domain in PROVIDER_DOMAINS


def company_of(domain: str, brands: Mapping[str, str] | None = None, shared: frozenset[str] | None = None) -> str:
    """The company domain of a normal mail domain; empty where the domain stands for no company.

    `brands` maps a registrable or full domain to the company that it belongs to, `shared` are domains that never stand for
    a company; both come from the settings where they are not given.

    >>> company_of("eu.cust.example", {}, frozenset()), company_of("gmail.com", {}, frozenset())
    ('cust.example', '')
    >>> company_of("mail.acme-toys.example", {"acme-toys.example": "acme.example"}, frozenset())
    'acme.example'
    """
    brands = settings().brands if brands is None else brands
    shared = settings().shared_mail_domains if shared is None else shared
    own = registrable(domain)
    company = brands.get(domain) or brands.get(own) or own
    if not company or {domain, own, company} & shared or is_shared(company):
        return ""
    return company
