"""Temperatures of nodes with a heat profile while a function runs there."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.continuum import CPU, Continuum, HeatProfile
from leotrek_opt.models.placement import ThermalRule
from leotrek_opt.models.workflow import Function

MS_PER_MINUTE = 60_000
_CONTEXT = Context(prec=28)


def temperature(
    profile: HeatProfile, rule: ThermalRule, execution_ms: int | None, cpu_millis: int
) -> Fraction:
    """Return the temperature in degrees Celsius that decides whether a node is too hot.

    Parameters
    ----------
    profile
        The node's heat profile.
    rule
        Which estimate, see :class:`~leotrek_opt.models.placement.ThermalRule`.
    execution_ms
        Execution time on the node's architecture, None if unknown.
    cpu_millis
        What the function asks for.

    Returns
    -------
    Fraction
        Exact, in degrees Celsius.
    """
    if execution_ms is None:
        return _exact(profile.temperature_c)
    minutes = Fraction(execution_ms, MS_PER_MINUTE)
    cores = Fraction(cpu_millis, 1000)
    heating = _exact(profile.heating_c_per_core_minute) * cores
    radiated = _exact(profile.radiated_c_per_minute)
    if rule.model == "hyperdrive":
        return _orbit_term(profile, minutes) + (heating - radiated) * minutes
    start = max(_exact(profile.temperature_c), _exact(profile.orbit_base_temperature_c))
    return start + max(Fraction(0), heating - radiated) * _effective(minutes, rule)


def _orbit_term(profile: HeatProfile, minutes: Fraction) -> int:
    modulus = int(profile.max_temperature_c)
    return int(_exact(profile.orbit_base_temperature_c) * minutes) % modulus if modulus else 0


def _effective(minutes: Fraction, rule: ThermalRule) -> Fraction:
    if rule.time_constant_min is None:
        return minutes
    constant = Decimal(repr(rule.time_constant_min))
    ratio = _CONTEXT.divide(
        _CONTEXT.divide(Decimal(minutes.numerator), Decimal(minutes.denominator)), constant
    )
    risen = _CONTEXT.multiply(constant, 1 - _CONTEXT.exp(-ratio))
    return Fraction(risen.quantize(Decimal("1e-9"), rounding=ROUND_HALF_EVEN))


def _exact(value: float) -> Fraction:
    return Fraction(repr(value))


def temperatures(
    continuum: Continuum, functions: list[Function], rule: ThermalRule
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return temperatures and whether they stay within the rule's limit.

    Parameters
    ----------
    continuum
        Nodes and heat profiles.
    functions
        F functions.
    rule
        Estimate and limit.

    Returns
    -------
    temperature_c
        Shape (F, N), NaN on nodes without a profile.
    within
        Shape (F, N), decided in exact arithmetic; true without a profile.
    """
    nodes = continuum.nodes
    shape = (len(functions), len(nodes))
    values, within = np.full(shape, np.nan), np.ones(shape, dtype=bool)
    if nodes.heat_profile is None:
        return values, within
    architecture = np.array(nodes.architecture)
    for index, profile in enumerate(continuum.heat_profiles):
        on_profile = nodes.heat_profile == index
        limit = _exact(
            profile.max_temperature_c if rule.limit == "max" else profile.recommended_temperature_c
        )
        for name in np.unique(architecture[on_profile]):
            where = np.flatnonzero(on_profile & (architecture == name))
            for row, function in enumerate(functions):
                exact = temperature(
                    profile, rule, function.execution_ms.get(name), function.demand.get(CPU, 0)
                )
                values[row, where] = float(exact)
                within[row, where] = exact <= limit
    return values, within
