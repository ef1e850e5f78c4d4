"""Element sets from a file of any form."""

from __future__ import annotations

import re
from pathlib import Path

from leotrek_opt.errors import InputError
from leotrek_opt.instances.element_file import Duplicates, ElementFile
from leotrek_opt.instances.foreign_file import content_of
from leotrek_opt.instances.omm import omm_format, parse_omm
from leotrek_opt.instances.tle import parse_tle

_TWO_LINES = re.compile(rb"^[12] [0-9A-Z ][0-9 ]{4}", re.MULTILINE)


def read_elements(source: str | Path | bytes, *, duplicates: Duplicates = "newest") -> ElementFile:
    """Read element sets: two-line sets, or Orbit Mean-Elements Messages in any of their forms.

    Parameters
    ----------
    source
        Path of a file of at most 64 MiB, or its content as bytes; compressed by gzip or not. The
        form is found by content.
    duplicates
        As in :func:`leotrek_opt.instances.tle.read_tle`.

    Returns
    -------
    ElementFile
        The table, and the records set aside.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no valid set.
    """
    data, file = content_of(source)
    if _TWO_LINES.search(data):
        return parse_tle(data, file=file, duplicates=duplicates)
    if omm_format(data) is not None:
        return parse_omm(data, file=file, duplicates=duplicates)
    raise InputError(
        "holds neither two-line element sets nor Orbit Mean-Elements Messages", file=file
    )
