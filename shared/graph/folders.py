"""Which mail folders of a mailbox are followed: Inbox, Sent Items, and those into which people and rules file mail."""

from __future__ import annotations

from shared import telemetry
from shared.graph.calls import GraphCallError
from shared.graph.client import Graph
from shared.graph.mailboxes import Folder, folders, forget_folder, put_folder

ALWAYS = ("inbox", "sentitems")
NEVER = ("drafts", "deleteditems", "junkemail", "outbox", "conversationhistory", "syncissues")
MOST = 50


def discover(graph: Graph, mailbox: str, until: int = 0) -> int:
    """Follow folders that are not followed yet, at most 50 in all, and those that vanished no longer; how many were new.

    Raises GraphCallError. `until`: up to when nothing can be in a new one that was not read elsewhere; 0 where the past is
    still to be read.
    Well-known folders have names that do not depend on the language; their ids tell which of the listed ones they are.
    """
    known = {folder.name: folder for folder in folders(mailbox)}
    other = {id for name in (*ALWAYS, *NEVER) if (id := _id(graph, mailbox, name))}
    listed = (
        item["id"]
        for page in graph.pages(f"/users/{mailbox}/mailFolders/delta", {"$select": "id"})
        for item in page.get("value", ())
        if "@removed" not in item
    )
    there = [*ALWAYS, *(id for id in dict.fromkeys(listed) if id not in other)]
    for name in known.keys() - set(there):
        drop(known.pop(name))
    # Those that are followed stay so, in whatever order the list comes.
    fresh = [name for name in there if name not in known][: max(MOST - len(known), 0)]
    for name in fresh:
        put_folder(Folder(mailbox=mailbox, name=name, until=until))
    return len(fresh)


def drop(folder: Folder) -> None:
    """Follow a folder no longer that is not there any more; what was read from it stays. Those of every mailbox are kept."""
    if folder.name not in ALWAYS:
        telemetry.count("rapport.graph.folders_gone")
        forget_folder(folder)


def _id(graph: Graph, mailbox: str, name: str) -> str:
    try:
        return str(graph.get(f"/users/{mailbox}/mailFolders/{name}", {"$select": "id"})["id"])
    except GraphCallError as error:
        if error.status != 404 or error.is_no_mailbox:
            raise
        return ""  # not every mailbox has every folder
