"""Two-line element sets made for tests."""

from __future__ import annotations

from leotrek_opt.instances.tle_fields import checksum

FIRST = "1 25544U 98067A   24296.18312500  .00016717  00000-0  10270-3 0  999"
SECOND = "2 25544  51.6416 247.4627 0006703 130.5360 325.0288 15.72125391 5635"


def element_lines(first: str = FIRST, second: str = SECOND) -> tuple[str, str]:
    """Append the check digits to lines of 68 characters."""
    return f"{first}{checksum(first)}", f"{second}{checksum(second)}"


def changed(line: str, column: int, text: str) -> str:
    """Write over a line of 68 characters from a column, counted from 1."""
    return line[: column - 1] + text + line[column - 1 + len(text) :]


def numbered(number: str, *, name: str = "", epoch: str = "24296.18312500") -> str:
    """Return the lines of a set with that catalogue number and epoch."""
    first = changed(changed(FIRST, 3, number), 19, epoch)
    lines = element_lines(first, changed(SECOND, 3, number))
    return "\n".join(([name] if name else []) + list(lines)) + "\n"
