"""Tokens, consent and mailbox scopes of the Graph simulator."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from local.signin import SAMPLE_APPS
from local.tokens import API_CLIENT_ID, TENANT, SigningKey, issue
from tests.doubles.graph_client import GraphClient, code_of, header_of, with_client
from tests.local.graph_process import POLL, PUSH, RunningGraph, call, running_graph

INBOX = "/users/{u}/mailFolders/inbox/messages?$select=id"


@pytest.fixture
def consent(graph: RunningGraph) -> Iterator[Callable[..., Any]]:
    """Changes consent; afterwards everything is granted again."""
    yield lambda **wanted: graph.control.post("consent", wanted)
    for app in (PUSH, POLL):
        graph.control.post("consent", client=app.name, grant=True, principal=True, secret=True)
    for permission in PUSH.scoped:
        graph.control.post("scope", permission=permission, mailboxes="*")


def claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def status(graph: RunningGraph, token: str, path: str) -> int:
    return call("GET", graph.graph_url + path, headers={"Authorization": f"Bearer {token}"})[0]


def test_a_token_names_the_granted_roles(graph: RunningGraph) -> None:
    for app in (PUSH, POLL):
        code, found = graph.token(app)
        assert (code, claims(found["access_token"])["roles"]) == (200, list(app.roles))


def test_a_token_may_be_asked_for_by_the_address_of_the_simulator(graph: RunningGraph) -> None:
    _, found = graph.token(POLL, scope=f"{graph.base_url}/.default")
    assert claims(found["access_token"])["aud"] == graph.base_url
    assert status(graph, found["access_token"], "/users") == 200


def test_a_withdrawn_role_is_missing_in_new_tokens_and_works_in_old_ones(
    graph: RunningGraph, consent: Callable[..., Any], mailbox: str
) -> None:
    old = graph.token(POLL)[1]["access_token"]
    consent(client="poll", withdraw=["Mail.ReadBasic.All"])
    new = graph.token(POLL)[1]["access_token"]
    assert "Mail.ReadBasic.All" not in claims(new)["roles"]
    assert [status(graph, token, INBOX.format(u=mailbox)) for token in (old, new)] == [200, 403]
    graph.control.advance(3601)
    assert status(graph, old, INBOX.format(u=mailbox)) == 401


def test_tokens_live_an_hour_and_a_day_when_the_client_takes_challenges(graph: RunningGraph) -> None:
    cae = json.dumps({"access_token": {"xms_cc": {"values": ["cp1"]}}})
    for form, seconds in (({}, 3600), ({"claims": cae}, 86400)):
        _, found = graph.token(PUSH, **form)
        assert found["expires_in"] == seconds
        assert claims(found["access_token"])["exp"] - claims(found["access_token"])["iat"] == seconds
    graph.control.behaviour(tokenLifetime=5400)
    assert graph.token(PUSH)[1]["expires_in"] == 5400


def test_a_tenant_without_the_application_gives_no_token(graph: RunningGraph, consent: Callable[..., Any]) -> None:
    consent(client="poll", principal=False)
    assert graph.token(POLL)[1]["error_codes"] == [7000229]
    assert graph.token(POLL, tenant="5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e0ff")[1]["error_codes"] == [7000229]


def test_a_secret_may_be_refused(graph: RunningGraph, consent: Callable[..., Any]) -> None:
    assert graph.token(PUSH, client_secret="wrong")[0] == 401
    consent(client="push", secret=False)
    code, found = graph.token(PUSH)
    assert (code, found["error_codes"]) == (401, [7000215])


def test_a_rotated_key_is_published_and_a_withdrawn_one_is_not_accepted(graph: RunningGraph) -> None:
    old = graph.token()[1]["access_token"]
    call("POST", f"{graph.base_url}/control/rotate-keys")
    assert status(graph, old, "/users") == 200
    call("POST", f"{graph.base_url}/control/rotate-keys?withdraw=1")
    assert status(graph, old, "/users") == 401
    _, found = call("GET", f"{graph.base_url}/{TENANT}/discovery/v2.0/keys")
    kid = jwt.get_unverified_header(graph.token()[1]["access_token"])["kid"]
    assert [key["kid"] for key in found["keys"]] == [kid]


def test_the_configuration_may_name_a_wrong_issuer(graph: RunningGraph) -> None:
    url = f"{graph.base_url}/{TENANT}/v2.0/.well-known/openid-configuration"
    assert call("GET", url)[1]["issuer"] == f"{graph.base_url}/{TENANT}/v2.0"
    graph.control.behaviour(wrongIssuer=True)
    assert call("GET", url)[1]["issuer"] == "https://login.elsewhere.example/00000000-0000-4000-8000-00000000f0f0/v2.0"


def test_the_sign_in_still_answers_for_other_audiences(graph: RunningGraph) -> None:
    sample = SAMPLE_APPS[0]
    form = {"grant_type": "client_credentials", "client_id": sample.client_id, "client_secret": sample.secret}
    data = urllib.parse.urlencode(form | {"scope": f"api://{API_CLIENT_ID}/.default"}).encode()
    _, found = call("POST", f"{graph.base_url}/{TENANT}/oauth2/v2.0/token", data)
    assert claims(found["access_token"])["roles"] == ["Rapport.Reader"]
    assert status(graph, found["access_token"], "/users") == 401  # its audience is not Graph


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def ask_consent(graph: RunningGraph, state: str, tenant: str = "organizations", app: Any = POLL) -> dict[str, str]:
    """Where the consent page sends the browser."""
    query = {"client_id": app.client_id, "scope": "https://graph.microsoft.com/.default", "state": state}
    query["redirect_uri"] = "http://127.0.0.1:1/back?page=1"
    url = f"{graph.base_url}/{tenant}/v2.0/adminconsent?{urllib.parse.urlencode(query)}"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.build_opener(_Stay).open(url, timeout=60)
    with caught.value as answer:
        location = answer.headers.get("Location", "")
    assert answer.code == 302 and location.startswith("http://127.0.0.1:1/back?page=1&")
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))


def test_consent_brings_the_application_into_the_tenant(graph: RunningGraph, consent: Callable[..., Any]) -> None:
    consent(client="poll", principal=False, withdraw=True)
    shown = ask_consent(graph, "s1")
    assert (shown["admin_consent"], shown["tenant"], shown["state"]) == ("True", TENANT, "s1")
    assert claims(graph.token(POLL)[1]["access_token"])["roles"] == list(POLL.roles)


def test_refused_consent_also_says_true_and_grants_nothing(graph: RunningGraph, consent: Callable[..., Any]) -> None:
    consent(client="poll", principal=False)
    graph.control.behaviour(consentAnswer="refuse")
    shown = ask_consent(graph, "s1")
    assert (shown["admin_consent"], shown["error"], "tenant" in shown) == ("True", "consent_required", False)
    assert graph.token(POLL)[0] == 400


def test_a_redirect_may_be_forged_or_replayed(graph: RunningGraph, consent: Callable[..., Any]) -> None:
    consent(client="poll", principal=False)
    graph.control.behaviour(consentAnswer="forgedTenant")
    assert ask_consent(graph, "first")["tenant"] != TENANT
    graph.control.behaviour(consentAnswer="replayedState")
    assert ask_consent(graph, "second")["state"] == "first"
    assert graph.token(POLL)[0] == 400


def test_consent_needs_default_and_a_tenant(graph: RunningGraph) -> None:
    query = f"client_id={POLL.client_id}&redirect_uri=http://127.0.0.1:1/&state=s&scope=Mail.Read"
    assert call("GET", f"{graph.base_url}/organizations/v2.0/adminconsent?{query}")[0] == 400
    query = query.replace("Mail.Read", "https://graph.microsoft.com/.default")
    assert call("GET", f"{graph.base_url}/common/v2.0/adminconsent?{query}")[0] == 400


def test_without_consent_a_new_folder_gives_no_token(tmp_path: Path) -> None:
    with running_graph(tmp_path, options=["--no-consent"]) as fresh:
        assert fresh.token(PUSH)[0] == 400
        ask_consent(fresh, "s1", app=PUSH)
        assert fresh.token(PUSH)[0] == 200
    with running_graph(tmp_path) as again:  # a restart grants nothing by itself
        assert [again.token(app)[0] for app in (PUSH, POLL)] == [200, 400]


@pytest.mark.parametrize("bend", ["missing", "expired", "unknown key", "other audience", "none"])
def test_a_bad_token_answers_401(graph: RunningGraph, bend: str) -> None:
    key, base = SigningKey(), {"issuer": "x", "audience": "https://graph.microsoft.com", "roles": ["User.Read.All"]}
    tokens = {
        "missing": "",
        "expired": graph.token()[1]["access_token"],
        "unknown key": issue(key, **base),
        "other audience": graph.token()[1]["access_token"] + "x",
        "none": jwt.encode({"roles": ["User.Read.All"]}, None, algorithm="none"),
    }
    if bend == "expired":
        assert status(graph, tokens[bend], "/users") == 200
        graph.control.advance(3601)
    headers = {"Authorization": f"Bearer {tokens[bend]}"} if tokens[bend] else {}
    code, found = call("GET", f"{graph.graph_url}/users", headers=headers)
    assert (code, found["error"]["code"]) == (401, "InvalidAuthenticationToken")


def test_the_client_answers_a_claims_challenge_by_itself(graph: RunningGraph) -> None:
    graph.control.fault("GET /users", "claims", nth=[1])
    assert with_client(graph.base_url, lambda client: client.get("/users?$select=id"))["value"] is not None
    assert [each["status"] for each in graph.control.get("requests")] == [401, 200]


def test_mailboxes_outside_the_scope_are_denied(
    graph: RunningGraph, consent: Callable[..., Any], new_mailbox: Callable[[], str]
) -> None:
    inside, outside = new_mailbox(), new_mailbox()
    graph.control.post("scope", permission="Mail.Read", mailboxes=[inside])

    async def work(client: GraphClient) -> Any:
        await client.get(INBOX.format(u=inside))
        return await client.refusal("GET", INBOX.format(u=outside))

    error = with_client(graph.base_url, work)
    assert (error.response_status_code, code_of(error)) == (403, "ErrorAccessDenied")
    assert not {"Mail.Read", "Calendars.Read"} & set(claims(graph.token()[1]["access_token"])["roles"])
    assert graph.control.get("report")["outsideScope"] == 1
    body = {"resource": f"users/{outside}/messages", "changeType": "created", "notificationUrl": "http://127.0.0.1:1/"}
    body["expirationDateTime"] = "2030-01-01T00:00:00Z"
    code, found = graph.ask("POST", "/subscriptions", body)
    assert (code, found["error"]["code"]) == (403, "ErrorAccessDenied")


def test_a_change_of_scope_takes_effect_later(graph: RunningGraph, consent: Callable[..., Any], mailbox: str) -> None:
    graph.control.post("scope", permission="Mail.Read", mailboxes=[], after=3600)
    assert graph.ask("GET", INBOX.format(u=mailbox))[0] == 200
    graph.control.advance(3601)
    assert graph.ask("GET", INBOX.format(u=mailbox))[0] == 403


def test_a_role_and_a_scope_add_up(graph: RunningGraph, consent: Callable[..., Any], mailbox: str) -> None:
    graph.control.post("scope", permission="Mail.Read", mailboxes=[])
    consent(client="push", grant=["Mail.Read"])
    assert graph.ask("GET", INBOX.format(u=mailbox))[0] == 200
    consent(client="push", withdraw=["Mail.Read"])


def test_a_person_without_mailbox_and_an_unknown_one(graph: RunningGraph) -> None:
    graph.control.post("users", mail="nobox@us.example", hasMailbox=False)
    for user, code in (("nobox@us.example", "MailboxNotEnabledForRESTAPI"), ("nobody@us.example", "ResourceNotFound")):
        answer, found = graph.ask("GET", INBOX.format(u=user))
        assert (answer, found["error"]["code"]) == (404, code)


def test_people_of_another_tenant_are_not_there(graph: RunningGraph, consent: Callable[..., Any]) -> None:
    other = "5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e0aa"
    graph.control.post("users", mail="far@other.example", tenant=other)
    assert graph.ask("GET", "/users/far@other.example")[0] == 404
    consent(client="poll", tenant=other, grant=True)
    token = graph.token(POLL, tenant=other)[1]["access_token"]
    assert status(graph, token, "/users/far@other.example") == 200
    assert status(graph, token, INBOX.format(u="far@other.example")) == 200


def test_users_and_members_of_groups_come_in_pages(graph: RunningGraph, new_mailbox: Callable[[], str]) -> None:
    keys = [graph.ask("GET", f"/users/{new_mailbox()}")[1]["id"] for _ in range(5)]
    graph.control.post("groups", id="g-inner", name="Inner", members=keys[3:])
    graph.control.post("groups", id="g-outer", name="Outer", members=[*keys[:3], "g-inner", "g-outer"])
    path = "/groups/g-outer/transitiveMembers?$top=4&$select=id"
    pages = with_client(graph.base_url, lambda client: client.pages(path))
    found = [(each["@odata.type"], each["id"]) for page in pages for each in page["value"]]
    assert [len(page["value"]) for page in pages] == [4, 2]
    assert {key for kind, key in found if kind == "#microsoft.graph.user"} == set(keys)
    assert ("#microsoft.graph.group", "g-inner") in found
    users = with_client(graph.base_url, lambda client: client.pages("/users?$top=2&$select=id"))
    assert set(keys) <= {each["id"] for page in users for each in page["value"]}
    assert header_of(with_client(graph.base_url, lambda client: client.refusal("GET", "/groups/none")), "request-id")
