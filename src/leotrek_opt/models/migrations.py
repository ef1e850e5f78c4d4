"""How documents of older versions are read: one pure function from each version to the next.

A model changes its ``version`` only when documents that were valid before would be read differently
or refused. The function that turns version ``n`` of a kind into ``n + 1`` then stands here under
``(kind, n)``, and a document of version ``n`` stays among the golden ones in the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leotrek_opt.errors import InputError

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
    InputError
        If the document is not one of its version, so that a step finds something else than it
        expects.
    """
    for step in range(version, target):
        bring_forward = MIGRATIONS[kind, step]
        try:
            document = {**bring_forward(document), "version": step + 1}
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"is no {kind} document of version {step}: {error!r}") from None
    return document
