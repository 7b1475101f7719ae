"""Conversations: mails that share a name, directly or through other mails (kpis 2.2).

A mail has a name for each way in which it belongs together with others: the conversation of each mailbox that holds it, the
thread of its reply headers, its own message id and that of the mail it answers. What two mailboxes call by two names is one
conversation as soon as one mail bears both.
"""

from __future__ import annotations

import numpy as np

from shared.kpi.interactions import Bools, Indices, Interactions, Keys, Kind


def conversations(interactions: Interactions, known: Bools) -> Keys:
    """(n,) the conversation of each interaction as a key; 0 for a mail without a name and for what is no known mail.

    `known`, of shape (n,), marks what connects: a mail that is written later joins nothing before it is there. The key is one
    of the connected mails' names and does not depend on their order. No interactions give an empty array.

    >>> conversations(Interactions.empty(), np.empty(0, "?"))
    array([], dtype=uint64)
    """
    mails = known & (interactions.kind == Kind.EMAIL)
    found = np.where(mails, interactions.conversation, np.uint64(0))
    further = mails[interactions.thread_index]
    if not further.any():
        return found
    first = np.flatnonzero(found)
    mail = np.concatenate([first, interactions.thread_index[further]])
    name = np.concatenate([found[first], interactions.thread_name[further]])
    by_mail = np.argsort(mail, kind="stable")  # two ascending runs: a merge
    mail, name = mail[by_mail], name[by_mail]
    by_name, begins = _shared(name)
    if len(begins):
        found[mail[by_name]] = _smallest_connected(mail, name, by_name, begins)
    return found


def _shared(name: Keys) -> tuple[Indices, Indices]:
    """The rows whose name stands in other rows too, by name, and where in them each name begins."""
    order = np.argsort(name)
    begins = np.flatnonzero(np.diff(name[order], prepend=~name[order[:1]]))
    size = np.diff(begins, append=len(name))
    more = size > 1
    return order[np.repeat(more, size)], np.cumsum(size[more]) - size[more]


def _smallest_connected(mail: Indices, name: Keys, by_name: Indices, begins: Indices) -> Keys:
    """For each row of `by_name` the smallest shared name to which mails connect it; rows of `mail` ascend, one a name."""
    size = np.diff(begins, append=len(by_name))
    names = name[by_name[begins]]
    code = np.full(len(name), len(names))  # a name of one mail alone connects nothing
    code[by_name] = np.repeat(np.arange(len(names)), size)
    mail_begins = np.flatnonzero(np.diff(mail, prepend=-1))
    mail_size = np.diff(mail_begins, append=len(mail))
    label = np.arange(len(names) + 1)
    while True:
        of_mail = np.repeat(np.minimum.reduceat(label[code], mail_begins), mail_size)
        smaller = label.copy()
        smaller[:-1] = np.minimum(label[:-1], np.minimum.reduceat(of_mail[by_name], begins))
        smaller = smaller[smaller]  # long chains are followed in doubling steps
        if np.array_equal(smaller, label):
            return names[np.repeat(label[:-1], size)]
        label = smaller
