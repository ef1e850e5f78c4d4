"""How documents of older versions are read: one pure function from each version to the next.

A model changes its ``version`` only when documents that were valid before would be read differently
or refused. The function that turns version ``n`` of a kind into ``n + 1`` then stands here under
``(kind, n)``, and a document of version ``n`` stays among the golden ones in the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Migration = Callable[[dict[str, Any]], dict[str, Any]]

MIGRATIONS: Mapping[tuple[str, int], Migration] = {}
"""By kind and the version that is left behind."""


def migrate(document: dict[str, Any], kind: str, version: int, target: int) -> dict[str, Any]:
    """Bring a document to a later version of its kind.

    Parameters
    ----------
    document
        Parsed JSON; left as it is.
    kind
        Kind of the document.
    version
        Version it is in.
    target
        Version wanted, at least ``version``.

    Returns
    -------
    dict
        The document in version ``target``.

    Raises
    ------
    KeyError
        If a step on the way is missing.
    """
    for step in range(version, target):
        document = {**MIGRATIONS[kind, step](document), "version": step + 1}
    return document
