"""Identifiers of nodes from the names that people gave them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

MAX_IDENTIFIER = 128

_NOT_ALLOWED = re.compile("-*[^A-Za-z0-9._:#-]+-*")


def node_identifiers(
    names: Sequence[str], fallbacks: Sequence[str], taken: Iterable[str] = ()
) -> tuple[str, ...]:
    """Make unique identifiers.

    Parameters
    ----------
    names
        Free text.
    fallbacks
        Identifiers for names without a letter or digit that an identifier may hold.
    taken
        Identifiers that are in use already.

    Returns
    -------
    tuple of str
        Each name without its accents and with runs of other characters replaced by a hyphen; an
        identifier that is in use before gets ``-2``, ``-3`` and so on at its end.
    """
    used = set(taken)
    last: dict[str, int] = {}
    found = []
    for name, fallback in zip(names, fallbacks, strict=True):
        letters = unicodedata.normalize("NFKD", name)
        plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
        base = _NOT_ALLOWED.sub("-", plain).strip("-")[:MAX_IDENTIFIER]
        if not any(character.isalnum() for character in base):
            base = fallback
        candidate, number = base, last.get(base, 1)
        while candidate in used:
            number += 1
            ending = f"-{number}"
            candidate = base[: MAX_IDENTIFIER - len(ending)] + ending
        last[base] = number
        used.add(candidate)
        found.append(candidate)
    return tuple(found)
