"""Scenarios by name: every parameter bounded, every draw from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from leotrek_opt.errors import InputError
from leotrek_opt.instances.wildfire import wildfire
from leotrek_opt.models.base import nearest_name
from leotrek_opt.models.placement import PlacementProblem

MAX_SEED = 2**63 - 1


@dataclass(frozen=True)
class Parameter:
    """One whole number that a scenario takes.

    Parameters
    ----------
    default, minimum, maximum
        Inclusive bounds.
    meaning
        One line for help texts.
    """

    default: int
    minimum: int
    maximum: int
    meaning: str


@dataclass(frozen=True)
class Scenario:
    """A family of problems.

    Parameters
    ----------
    summary
        One line for help texts.
    parameters
        By name.
    build
        Called with ``seed`` and every parameter by name.
    """

    summary: str
    parameters: Mapping[str, Parameter]
    build: Callable[..., PlacementProblem]


SCENARIOS: Mapping[str, Scenario] = {
    "wildfire": Scenario(
        summary="drones over a wildfire, detection in orbit, at the edge or on the ground",
        parameters={
            "satellites": Parameter(1000, 1, 72_000, "satellites, rounded up to 72 equal planes"),
            "edge": Parameter(100, 1, 100_000, "edge nodes, the drones among them"),
            "ground_stations": Parameter(10, 0, 100_000, "ground stations"),
            "workflows": Parameter(5, 1, 1000, "workflows, each on a drone of its own"),
        },
        build=wildfire,
    ),
}
"""Every scenario that :func:`generate` knows."""


def generate(name: str, *, seed: int = 0, **parameters: Any) -> PlacementProblem:
    """Build a problem of a named scenario.

    Parameters
    ----------
    name
        A key of :data:`SCENARIOS`, such as ``wildfire``.
    seed
        Of every random draw; the same seed gives the same document.
    **parameters
        Whole numbers by the names that the scenario lists; the others keep their defaults.

    Returns
    -------
    PlacementProblem
        With a generated topology, so that its document stays small.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the scenario or a parameter is unknown, or a value is out of bounds.
    """
    if name not in SCENARIOS:
        raise InputError(
            f'no scenario "{name}"{nearest_name(name, SCENARIOS)}; there are: '
            f"{', '.join(SCENARIOS)}",
            field="name",
        )
    scenario = SCENARIOS[name]
    for given in parameters:
        if given not in scenario.parameters:
            raise InputError(
                f"{name} has no such parameter{nearest_name(given, scenario.parameters)}; it takes "
                f"{', '.join(scenario.parameters)}",
                field=given,
            )
    chosen = {
        key: _bounded(key, parameters.get(key, known.default), known.minimum, known.maximum)
        for key, known in scenario.parameters.items()
    }
    return scenario.build(seed=_bounded("seed", seed, 0, MAX_SEED), **chosen)


def _bounded(field: str, value: Any, minimum: int, maximum: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"must be a whole number, got {value!r:.60}", field=field)
    if not minimum <= value <= maximum:
        raise InputError(f"must be from {minimum} to {maximum}, got {value}", field=field)
    return value
