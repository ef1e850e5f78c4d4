"""Sun, heat and charge of the satellites as a state plugin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import ArrayLike, NDArray

from leotrek_opt.models.environment import Environment
from leotrek_opt.topology.environment.step import EnvironmentWalk
from leotrek_opt.topology.recording.layout import Output
from leotrek_opt.topology.state import TopologyState

LoadOfState = ArrayLike | Callable[[TopologyState], ArrayLike]
"""Watts beyond the idle power: a number, one per satellite, or a function of the state."""

_PER_SATELLITE = Output("float64", "satellite")


class EnvironmentPlugin:
    """Gives per satellite what the environment does to it.

    Outputs: ``sunlit`` (fraction of the Sun's disc in view), with a thermal model
    ``temperature_c``, with a battery ``battery_wh``, ``depth_of_discharge`` and ``brown_out``; NaN
    where propagation failed.

    Parameters
    ----------
    environment
        Shadow, and the models of heat and battery; sunlight alone by default.
    load_w
        Watts that satellites draw beyond their idle power from a step until the next: a number,
        shape (satellites,), or a function of the state that returns either.
    """

    name = "environment"

    def __init__(
        self, environment: Environment | None = None, *, load_w: LoadOfState = 0.0
    ) -> None:
        self._environment = Environment() if environment is None else environment
        self._load_w = load_w
        self._walk = EnvironmentWalk(self._environment)

    def begin(self) -> None:
        """Start again with the temperature and the charge of the first step."""
        self._walk = EnvironmentWalk(self._environment)

    @property
    def outputs(self) -> Mapping[str, Output]:
        """``sunlit``, and what the models give."""
        declared = {"sunlit": _PER_SATELLITE}
        if self._environment.thermal is not None:
            declared["temperature_c"] = _PER_SATELLITE
        if self._environment.battery is not None:
            declared["battery_wh"] = _PER_SATELLITE
            declared["depth_of_discharge"] = _PER_SATELLITE
            declared["brown_out"] = Output("bool", "satellite")
        return declared

    def after_step(
        self, state: TopologyState, outputs: Mapping[str, Mapping[str, NDArray[Any]]]
    ) -> Mapping[str, NDArray[Any]]:
        """Go on to the next step.

        Parameters
        ----------
        state
            Later than the one before.
        outputs
            Of the plugins before this one.

        Returns
        -------
        Mapping
            The declared outputs.
        """
        del outputs
        load = self._load_w(state) if callable(self._load_w) else self._load_w
        now = self._walk.advance(state, load)
        return {name: getattr(now, name) for name in self.outputs}
