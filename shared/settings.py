"""App settings: one frozen Struct that is also the table of names, defaults and help; the only reader of os.environ.

Nothing is demanded at import. A setting that is needed and missing raises SettingError where it is first used.
The organisation's settings (weights, windows, roles) are data in a table and do not belong here.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hmac
import os
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, get_args

import msgspec
from msgspec import Meta, field

from shared import decoders
from shared.errors import SettingError

PERSON_KEY_BYTES = 32

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?")

Where = Literal["everywhere", "local", "cloud", "platform"]


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A connection as the settings gave it: a connection string (local), or an address with identity (cloud)."""

    connection_string: str = ""
    address: str = ""

    def __repr__(self) -> str:
        return f"Connection({'connection string' if self.connection_string else self.address})"


class Setting(NamedTuple):
    """A row of the table of settings. `where` it is given: everywhere, only local, only cloud, or by the platform."""

    name: str
    default: str
    help: str
    secret: bool
    where: Where


def _about(text: str, *, secret: bool = False, where: Where = "everywhere") -> Meta:
    return Meta(description=text, extra={"secret": secret, "where": where})


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """All app settings. Text that is not set is "". `repr` hides secrets."""

    tables: Annotated[str, _about("Connection string of the table storage.", secret=True, where="local")] = ""
    tables_endpoint: Annotated[
        str,
        _about(
            "Address of the table storage, reached with the app's identity; several with commas between. "
            "Used when TABLES is not set.",
            where="cloud",
        ),
    ] = field(default="", name="TABLES__endpoint")
    servicebus: Annotated[str, _about("Connection string of the Service Bus.", secret=True, where="local")] = ""
    servicebus_namespace: Annotated[
        str,
        _about(
            "Host name of the Service Bus, reached with the app's identity; used when SERVICEBUS is not set.",
            where="cloud",
        ),
    ] = field(default="", name="SERVICEBUS__fullyQualifiedNamespace")
    azure_client_id: Annotated[str, _about("Client id of the app's user-assigned managed identity.", where="cloud")] = (
        ""
    )
    person_key: Annotated[
        str,
        _about(
            "Key of the person hashes: base64 of 32 or more random bytes. A new key makes all stored people strangers.",
            secret=True,
        ),
    ] = ""
    webhook_key: Annotated[
        str,
        _about(
            "Key of the webhooks' keys, of the same form; without it, and for numbers below OWN_KEYS_FROM, PERSON_KEY.",
            secret=True,
        ),
    ] = ""
    link_key: Annotated[
        str,
        _about(
            "Key under which links and continuations are signed, of the same form; without it PERSON_KEY.", secret=True
        ),
    ] = ""
    store_key: Annotated[
        str,
        _about(
            "Key under which the addresses are stored that lead on in a mailbox, of the same form; without it PERSON_KEY.",
            secret=True,
        ),
    ] = ""
    own_keys_from: Annotated[
        int,
        Meta(ge=1, le=1_000_000),
        _about("Number of the webhooks' keys from which WEBHOOK_KEY holds; 1 where there always was one."),
    ] = 1
    auth_openid_configuration: Annotated[
        str,
        _about(
            "Address of the tenant's OpenID configuration, ending in /v2.0/.well-known/openid-configuration. "
            "https, or http on this machine."
        ),
    ] = ""
    auth_issuer: Annotated[
        str, _about("The issuer (`iss`) that tokens must carry, as the configuration states it.")
    ] = ""
    auth_audience: Annotated[
        str, _about("Client id of this API's app registration; tokens for it and for api://<client id> are accepted.")
    ] = ""
    website_auth_enabled: Annotated[
        bool,
        _about(
            "Whether the platform's own sign-in check stands before the app; only then is its header believed.",
            where="platform",
        ),
    ] = False
    crm_changes_queue: Annotated[str, _about("Queue of changed CRM activities.")] = "crm-changes"
    crm_key_version: Annotated[
        int,
        Meta(ge=1, le=10_000),
        _about("Number of the key that a CRM's webhook sends; one more is a new key, and the last one still holds."),
    ] = 1
    record_updates_queue: Annotated[str, _about("Queue of records to compute again.")] = "record-updates"
    people_updates_queue: Annotated[str, _about("Queue of people to compute again.")] = "people-updates"
    similar_updates_queue: Annotated[str, _about("Queue of deals to find similar won deals for.")] = "similar-updates"
    record_updates_window_seconds: Annotated[
        int, Meta(ge=1, le=60), _about("Seconds in which several changes of one record become one computation.")
    ] = 1
    record_updates_bulk_window_seconds: Annotated[
        int, Meta(ge=1, le=600), _about("The same for first load and back-fill, where changes come in thousands.")
    ] = 30
    bulk_batch: Annotated[
        int, Meta(ge=1, le=1000), _about("Number of changes in one request from which the bulk window holds.")
    ] = 50
    max_body_bytes: Annotated[int, Meta(ge=1024, le=100_000_000), _about("Longest request body in bytes.")] = 5_000_000
    max_changes: Annotated[int, Meta(ge=1, le=100_000), _about("Most changes in one request.")] = 10_000
    tenant_domains: Annotated[
        str, _about("Our own mail domains, with commas between; they tell colleagues from others.")
    ] = ""
    shared_domains: Annotated[
        str,
        _about("Domains, with commas between, that stand for no company: partners, and providers that we do not know."),
    ] = ""
    brand_domains: Annotated[
        str,
        _about("Domains of one company under several names, as brand.example=company.example, with commas between."),
    ] = ""
    dataverse_url: Annotated[
        str,
        _about(
            "Address of the Dataverse environment that is asked which records a caller may read (docs/row-rights.md); "
            "without it the role alone decides."
        ),
    ] = ""
    send_introductions: Annotated[
        bool,
        _about(
            "Whether requests for introductions are sent from the asker's mailbox, which needs Mail.Send; else they are drafts."
        ),
    ] = False

    graph_endpoint: Annotated[
        str, _about("Address of Microsoft Graph with its version; other national clouds are not supported.")
    ] = "https://graph.microsoft.com/v1.0"
    graph_login: Annotated[str, _about("Address of the login service of the same cloud.")] = (
        "https://login.microsoftonline.com"
    )
    graph_tenant_id: Annotated[str, _about("Id of the tenant whose mailboxes are read.")] = ""
    graph_client_id: Annotated[
        str, _about("Client id of the app registration that reads mailboxes: the one of the chosen GRAPH_MODE.")
    ] = ""
    graph_client_secret: Annotated[
        str,
        _about(
            "Secret of that registration; without it the app's identity vouches for it (federated credential).",
            secret=True,
            where="local",
        ),
    ] = ""
    graph_mode: Annotated[
        Literal["push", "poll"],
        _about("push: notifications, permission by mailbox scope; poll: every 15 minutes, permission without bodies."),
    ] = "push"
    graph_notification_url: Annotated[
        str, _about("Address under which Graph reaches this app's routes, ending in /api; needed for push.")
    ] = ""
    graph_key_version: Annotated[
        int,
        Meta(ge=1, le=1_000_000),
        _about("Number of the key in the notification addresses; one more is a new key, and the last one still holds."),
    ] = 1
    graph_mail_window_seconds: Annotated[
        int, Meta(ge=1, le=300), _about("Seconds in which several notifications of one mailbox's mail become one run.")
    ] = 15
    graph_calendar_window_seconds: Annotated[
        int, Meta(ge=1, le=600), _about("The same for its calendar, which people change in bursts.")
    ] = 120
    graph_lifecycle_queue: Annotated[str, _about("Queue of what concerns subscriptions and consent.")] = (
        "graph-lifecycle"
    )
    graph_dirty_queue: Annotated[str, _about("Queue of mailboxes in which something changed.")] = "graph-dirty"
    graph_backfill_queue: Annotated[str, _about("Queue of weeks and months of the past to read.")] = "graph-backfill"
    consent_redirect_url: Annotated[
        str,
        _about(
            "Page to which the consent page sends administrators back: the app's own `/api/consent/done`, or one of yours that "
            "hands the answer on."
        ),
    ] = ""
    allowed_origins: Annotated[
        str,
        _about(
            "Origins of the pages that show our elements, with commas between, as CORS has them; the answer of the consent page "
            "is handed to them alone."
        ),
    ] = ""

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings from `environ`; names that are no settings are ignored, empty ones count as not set.

        Raises SettingError naming the setting when a value has the wrong form; the value itself is not repeated.
        """
        given = {name: environ[name].strip() for name in cls.__struct_encode_fields__ if environ.get(name, "").strip()}
        try:
            return decoders.convert(given, cls, strict=False)
        except msgspec.ValidationError as error:
            raise SettingError(f"An app setting has the wrong form: {error}") from None

    def __repr__(self) -> str:
        secrets = {setting.name for setting in table() if setting.secret}
        values = ((name, getattr(self, attribute)) for name, attribute in _field_names().items())
        shown = (f"{name}={'***' if value and name in secrets else repr(value)}" for name, value in values)
        return f"Settings({', '.join(shown)})"

    def need(self, name: str) -> str:
        """The text of the setting with that name (`PERSON_KEY`). Raises SettingError with advice if it is not set."""
        value = str(getattr(self, _field_names()[name]))
        if not value:
            row = next(setting for setting in table() if setting.name == name)
            raise SettingError(f"The app setting {name} is not set. {row.help} See docs/settings.md.")
        return value

    @property
    def tables_connections(self) -> tuple[Connection, ...]:
        """Where the tables are, one or more accounts; raises SettingError when neither form is set.

        Several connection strings stand apart by spaces, several addresses by commas.
        """
        if self.tables:
            return tuple(Connection(connection_string=text) for text in self.tables.split())
        if self.tables_endpoint:
            return tuple(Connection(address=text.strip()) for text in self.tables_endpoint.split(","))
        return (self._connection("", "", "TABLES", "TABLES__endpoint"),)

    @property
    def servicebus_connection(self) -> Connection:
        """Where the queues are; raises SettingError when neither form is set."""
        return self._connection(
            self.servicebus, self.servicebus_namespace, "SERVICEBUS", "SERVICEBUS__fullyQualifiedNamespace"
        )

    @staticmethod
    def _connection(text: str, address: str, name: str, address_name: str) -> Connection:
        # The Functions host decides in the same order for its own connections, so both always take the same form.
        if text:
            return Connection(connection_string=text)
        if address:
            return Connection(address=address)
        raise SettingError(f"Set {name} (a connection string, local) or {address_name} (cloud). See docs/settings.md.")

    @property
    def person_key_bytes(self) -> bytes:
        """The key of the person hashes. Raises SettingError when it is not set, not base64 or shorter than 32 bytes."""
        return self._key_bytes("PERSON_KEY")

    def _key_bytes(self, name: str) -> bytes:
        try:
            key = base64.b64decode(self.need(name), validate=True)
        except binascii.Error:
            raise SettingError(f"The app setting {name} is not base64.") from None
        if len(key) < PERSON_KEY_BYTES:
            raise SettingError(f"The app setting {name} has {len(key)} bytes, {PERSON_KEY_BYTES} are needed.")
        return key

    def derived_key(self, purpose: str, name: str = "PERSON_KEY") -> bytes:
        """A 32-byte key of its own for `purpose`, derived from the key in a setting, so that no two uses share a key.

        `shared.own_keys` says which setting a key comes from that may change.
        """
        return hmac.digest(self._key_bytes(name), b"rapport/" + purpose.encode(), "sha256")

    @property
    def internal_domains(self) -> frozenset[str]:
        """Our own mail domains in lower case; empty when TENANT_DOMAINS is not set."""
        domains = (part.strip().lower() for part in self.tenant_domains.split(","))
        return frozenset(domain for domain in domains if domain)

    @property
    def shared_mail_domains(self) -> frozenset[str]:
        """SHARED_DOMAINS in lower case."""
        domains = (part.strip().lower() for part in self.shared_domains.split(","))
        return frozenset(domain for domain in domains if domain)

    @property
    def origins(self) -> tuple[str, ...]:
        """ALLOWED_ORIGINS one by one. Raises SettingError for what is no origin, and for `*`."""
        found = tuple(part.strip().lower() for part in self.allowed_origins.split(",") if part.strip())
        if not all(_ORIGIN.fullmatch(each) for each in found):
            raise SettingError(
                "The app setting ALLOWED_ORIGINS is not of the form https://crm.example,https://other.example."
            )
        return found

    @property
    def brands(self) -> dict[str, str]:
        """BRAND_DOMAINS: the company domain of each brand's domain. Raises SettingError for a part without `=`."""
        pairs = [part.lower().split("=") for part in self.brand_domains.split(",") if part.strip()]
        if any(len(pair) != 2 for pair in pairs):
            raise SettingError("The app setting BRAND_DOMAINS is not of the form brand.example=company.example.")
        return {brand.strip(): company.strip() for brand, company in pairs}


@functools.cache
def _field_names() -> dict[str, str]:
    return dict(zip(Settings.__struct_encode_fields__, Settings.__struct_fields__, strict=True))


@functools.cache
def table() -> tuple[Setting, ...]:
    """All settings in the order of the Struct; docs, example file and infrastructure are compared with it."""
    return tuple(_row(info) for info in msgspec.structs.fields(Settings))


def _row(info: msgspec.structs.FieldInfo) -> Setting:
    about: Any = next(meta for meta in get_args(info.type)[1:] if isinstance(meta, Meta) and meta.description)
    default = str(info.default).lower() if isinstance(info.default, bool) else str(info.default)
    return Setting(info.encode_name, default, about.description, about.extra["secret"], about.extra["where"])


@functools.cache
def settings() -> Settings:
    """The settings of this process, read once. Tests that change the environment call `settings.cache_clear()`."""
    return Settings.load(os.environ)
