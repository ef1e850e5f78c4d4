"""Numbers of a document as exact fractions."""

from __future__ import annotations

from fractions import Fraction


def exact(number: float) -> Fraction:
    """Read a float as the shortest decimal that prints it.

    Parameters
    ----------
    number
        Finite.

    Returns
    -------
    Fraction
        Such as 1/10 for ``0.1``.
    """
    return Fraction(repr(number))
