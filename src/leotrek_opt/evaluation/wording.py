"""How quantities are written in the messages of the checker: exactly, in the user's units."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction


def milliseconds(nanoseconds: int) -> str:
    """Write a time in milliseconds with every digit it has.

    Parameters
    ----------
    nanoseconds
        Time.

    Returns
    -------
    str
        Such as ``7.000001 ms``.
    """
    return f"{plain(Decimal(nanoseconds).scaleb(-6))} ms"


def megabits_per_second(bits_per_second: int) -> str:
    """Write a bandwidth in Mbit/s with every digit it has.

    Parameters
    ----------
    bits_per_second
        Bandwidth.

    Returns
    -------
    str
        Such as ``50 Mbit/s``.
    """
    return f"{plain(Decimal(bits_per_second).scaleb(-6))} Mbit/s"


def degrees(temperature_c: Fraction) -> str:
    """Write a temperature.

    Parameters
    ----------
    temperature_c
        Exact degrees Celsius.

    Returns
    -------
    str
        Up to twelve decimals, such as ``58.9 °C``.
    """
    return f"{plain(Decimal(round(temperature_c * 10**12)).scaleb(-12))} °C"


def plain(number: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros.

    Parameters
    ----------
    number
        Any finite decimal.

    Returns
    -------
    str
        Such as ``0.5`` or ``1200``.
    """
    text = f"{number:f}"
    if "." not in text:
        return text
    return text.rstrip("0").rstrip(".")


def chain(names: Sequence[str]) -> str:
    """Write a sequence of nodes or functions, the middle left out when it is long.

    Parameters
    ----------
    names
        In order, at least one.

    Returns
    -------
    str
        Such as ``a > b > c``.
    """
    if len(names) > 10:
        names = [*names[:4], f"... {len(names) - 8} more ...", *names[-4:]]
    return " > ".join(names)
