"""Temperature of a node with a heat profile while a function runs there, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

from leotrek_opt.evaluation.assignments import PlacedFunction
from leotrek_opt.evaluation.exact import exact
from leotrek_opt.evaluation.wording import degrees
from leotrek_opt.models.continuum import CPU, Architecture, Continuum, HeatProfile
from leotrek_opt.models.placement import FunctionTemperature, ThermalRule, Violation
from leotrek_opt.models.workflow import Function

MS_PER_MINUTE = 60_000
DECAY_DIGITS = 28
DECAY_QUANTUM = Decimal("1e-9")


def check_temperatures(
    rule: ThermalRule | None, continuum: Continuum, functions: Iterable[PlacedFunction]
) -> tuple[list[FunctionTemperature], list[Violation]]:
    """Compute every temperature and compare it with its limit.

    Parameters
    ----------
    rule
        Model and limit; None for no thermal rule.
    continuum
        Gives the heat profiles.
    functions
        With their places; those without one are passed over.

    Returns
    -------
    temperatures : list of FunctionTemperature
        One for every function on a node with a heat profile, in the order of ``functions``.
    violations : list of Violation
        One for every temperature above its limit; the limit itself is allowed.
    """
    temperatures: list[FunctionTemperature] = []
    violations: list[Violation] = []
    for placed in functions:
        profile = None if placed.node is None else _profile(continuum, placed.node)
        if rule is None or placed.node is None or profile is None:
            continue
        node = continuum.nodes.id[placed.node]
        temperature = node_temperature(
            rule, profile, placed.function, continuum.nodes.architecture[placed.node]
        )
        temperatures.append(
            FunctionTemperature(
                workflow=placed.workflow,
                function=placed.function.id,
                node=node,
                temperature_c=float(temperature),
                recommended_temperature_c=profile.recommended_temperature_c,
                max_temperature_c=profile.max_temperature_c,
            )
        )
        limit = _limit(rule, profile)
        if temperature > limit:
            violations.append(
                Violation(
                    rule="temperature",
                    subject=placed.name,
                    message=f"temperature: {placed.name} heats node {node} to "
                    f"{degrees(temperature)}, {rule.limit} temperature {degrees(limit)}",
                )
            )
    return temperatures, violations


def node_temperature(
    rule: ThermalRule, profile: HeatProfile, function: Function, architecture: Architecture
) -> Fraction:
    """Return the temperature that a function brings a node to.

    Parameters
    ----------
    rule
        Which model.
    profile
        Of the node.
    function
        Gives execution time and cores.
    architecture
        Of the node.

    Returns
    -------
    Fraction
        Degrees Celsius.

    Notes
    -----
    ``hyperdrive`` is the heat estimator of HyperDrive (polaris-slo-cloud/hyper-drive, commit
    4072ae0; system described in doi 10.1109/SEC62691.2024.00028).
    The exponential of ``monotone`` is Newton's law of cooling with a constant load.
    """
    execution_ms = function.execution_ms.get(architecture)
    if execution_ms is None:
        return exact(profile.temperature_c)
    minutes = Fraction(execution_ms, MS_PER_MINUTE)
    cores = Fraction(function.demand.get(CPU, 0), 1000)
    heating = exact(profile.heating_c_per_core_minute) * cores
    radiated = exact(profile.radiated_c_per_minute)
    if rule.model == "hyperdrive":
        from_orbit = int(exact(profile.orbit_base_temperature_c) * minutes)
        ceiling = int(exact(profile.max_temperature_c))
        wrapped = from_orbit % ceiling if ceiling != 0 else 0
        return wrapped + heating * minutes - radiated * minutes
    start = max(exact(profile.temperature_c), exact(profile.orbit_base_temperature_c))
    if rule.time_constant_min is not None:
        minutes = _decayed_minutes(execution_ms, rule.time_constant_min)
    return start + max(Fraction(0), heating - radiated) * minutes


def _decayed_minutes(execution_ms: int, time_constant_min: float) -> Fraction:
    with localcontext() as context:
        context.prec = DECAY_DIGITS
        constant = Decimal(repr(time_constant_min))
        minutes = Decimal(execution_ms) / MS_PER_MINUTE
        decayed = constant * (1 - (-minutes / constant).exp())
        return Fraction(decayed.quantize(DECAY_QUANTUM, ROUND_HALF_EVEN))


def _profile(continuum: Continuum, node: int) -> HeatProfile | None:
    column = continuum.nodes.heat_profile
    if column is None or column[node] < 0:
        return None
    return continuum.heat_profiles[int(column[node])]


def _limit(rule: ThermalRule, profile: HeatProfile) -> Fraction:
    if rule.limit == "max":
        return exact(profile.max_temperature_c)
    return exact(profile.recommended_temperature_c)
