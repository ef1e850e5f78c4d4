"""Run a topology step by step: state plugins, functions after each step, recordings."""

from leotrek_opt.topology.simulation.environment import EnvironmentPlugin
from leotrek_opt.topology.simulation.plugins import PluginRepository, ResumablePlugin, StatePlugin
from leotrek_opt.topology.simulation.run import PostStep, Recorder, record, simulate
from leotrek_opt.topology.simulation.sources import StateSource, state_source
from leotrek_opt.topology.simulation.step_result import StepResult
from leotrek_opt.topology.simulation.stepping import Simulation

__all__ = [
    "EnvironmentPlugin",
    "PluginRepository",
    "PostStep",
    "Recorder",
    "ResumablePlugin",
    "Simulation",
    "StatePlugin",
    "StateSource",
    "StepResult",
    "record",
    "simulate",
    "state_source",
]
