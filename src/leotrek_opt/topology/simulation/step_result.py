"""One step of a simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from leotrek_opt.models.continuum import NodeTable
from leotrek_opt.topology.simulation.plugins import Arrays, no_plugin
from leotrek_opt.topology.state import TopologyState


@dataclass(frozen=True, eq=False)
class StepResult:
    """The whole topology after a step, and what plugins made of it.

    Parameters
    ----------
    nodes
        Satellites first.
    state
        Positions and links.
    outputs
        By plugin and name; a plugin that failed at this step is absent.
    """

    nodes: NodeTable
    state: TopologyState
    outputs: Mapping[str, Arrays]

    @property
    def step(self) -> int:
        """Index of the snapshot."""
        return self.state.step

    @property
    def time(self) -> datetime:
        """The instant, UTC."""
        return self.state.time

    def plugin(self, name: str) -> Arrays:
        """Return what a plugin gave at this step.

        Parameters
        ----------
        name
            Name of the plugin, whether it ran now or was recorded.

        Returns
        -------
        Mapping
            Arrays by output.

        Raises
        ------
        leotrek_opt.errors.InputError
            If there is none, with the nearest name.
        """
        if name not in self.outputs:
            raise no_plugin(name, self.outputs)
        return self.outputs[name]
