"""Which mail folders of a mailbox are followed: Inbox, Sent Items, and those into which people and rules file mail."""

from __future__ import annotations

from shared.graph.calls import GraphCallError
from shared.graph.client import Graph
from shared.graph.mailboxes import Folder, folders, put_folder

ALWAYS = ("inbox", "sentitems")
NEVER = ("drafts", "deleteditems", "junkemail", "outbox", "conversationhistory", "syncissues")
MOST = 50


def discover(graph: Graph, mailbox: str, until: int = 0) -> int:
    """Follow folders that are not followed yet, at most 50 in all; how many were new. Raises GraphCallError.

    `until`: up to when nothing can be in a new one that was not read elsewhere; 0 where the past is still to be read.
    Well-known folders have names that do not depend on the language; their ids tell which of the listed ones they are.
    """
    known = {folder.name for folder in folders(mailbox)}
    other = {id for name in (*ALWAYS, *NEVER) if (id := _id(graph, mailbox, name))}
    listed = (
        item["id"]
        for page in graph.pages(f"/users/{mailbox}/mailFolders/delta", {"$select": "id"})
        for item in page.get("value", ())
        if "@removed" not in item
    )
    wanted = [*ALWAYS, *(id for id in dict.fromkeys(listed) if id not in other)][:MOST]
    fresh = [name for name in wanted if name not in known]
    for name in fresh:
        put_folder(Folder(mailbox=mailbox, name=name, until=until))
    return len(fresh)


def _id(graph: Graph, mailbox: str, name: str) -> str:
    try:
        return str(graph.get(f"/users/{mailbox}/mailFolders/{name}", {"$select": "id"})["id"])
    except GraphCallError as error:
        if error.status != 404:
            raise
        return ""  # not every mailbox has every folder
