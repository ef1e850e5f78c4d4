"""Steps of a topology written down: positions, links and the outputs of plugins, as columns."""

from leotrek_opt.topology.recording.layout import Layout, Output, Run
from leotrek_opt.topology.recording.recorder import MemoryRecorder
from leotrek_opt.topology.recording.recording import Recording

__all__ = ["Layout", "MemoryRecorder", "Output", "Recording", "Run"]
