"""Recording in memory."""

from __future__ import annotations

from leotrek_opt.errors import InputError
from leotrek_opt.topology.recording.collector import Outputs, StepCollector
from leotrek_opt.topology.recording.columns import StepColumns, joined
from leotrek_opt.topology.recording.layout import PositionType, Run
from leotrek_opt.topology.recording.recording import Recording
from leotrek_opt.topology.state import TopologyState


class MemoryRecorder:
    """Keeps every step of a run in memory.

    Parameters
    ----------
    position_type
        ``float64``, or ``float32`` to keep positions in half the memory.
    """

    def __init__(self, position_type: PositionType = "float64") -> None:
        self._position_type = position_type
        self._collector: StepCollector | None = None
        self._taken: list[StepColumns] = []

    def begin(self, run: Run) -> tuple[TopologyState, Outputs] | None:
        """Start a recording; whatever was recorded before is forgotten.

        Parameters
        ----------
        run
            Nodes and declared outputs.

        Returns
        -------
        None
            No step is recorded yet.
        """
        self._collector = StepCollector(run, self._position_type)
        self._taken = []
        return None

    def add(self, state: TopologyState, outputs: Outputs) -> None:
        """Record a step.

        Parameters
        ----------
        state
            Later than the one before.
        outputs
            What plugins gave, by plugin and name.
        """
        self._begun().add(state, outputs)

    def finish(self, complete: bool) -> None:
        """End the recording; what is recorded stays.

        Parameters
        ----------
        complete
            Whether the run came to its end.
        """

    def recording(self) -> Recording:
        """Return what was recorded so far.

        Returns
        -------
        Recording
            At least one step.

        Raises
        ------
        leotrek_opt.errors.InputError
            If nothing was recorded.
        """
        collector = self._begun()
        if len(collector):
            self._taken.append(collector.take())
        layout = collector.layout
        self._taken = [joined(self._taken)]
        return Recording(layout, collector.links.table(), self._taken[0])

    def _begun(self) -> StepCollector:
        if self._collector is None:
            raise InputError("nothing was recorded")
        return self._collector
