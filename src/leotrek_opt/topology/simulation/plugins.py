"""State plugins: what they declare, how they are found, and how one step of them is run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import nearest_name
from leotrek_opt.topology.recording.layout import Output, Run, check_outputs
from leotrek_opt.topology.state import TopologyState

OnPluginError = Literal["raise", "continue"]
Arrays = Mapping[str, NDArray[Any]]
"""Outputs of one plugin by name."""

_LOGGER = logging.getLogger("leotrek_opt.simulation")
_Plugin = TypeVar("_Plugin")


@runtime_checkable
class StatePlugin(Protocol):
    """Computes something from every state that is stored with it: sunlight, heat, demand.

    A plugin may keep what it needs from step to step; steps come in the order of time. One with a
    method ``begin()`` is told by it when a run begins, and forgets.
    """

    @property
    def name(self) -> str:
        """Under which its outputs are found and stored."""

    @property
    def outputs(self) -> Mapping[str, Output]:
        """What it gives at every step."""

    def after_step(
        self, state: TopologyState, outputs: Mapping[str, Arrays]
    ) -> Mapping[str, NDArray[Any]]:
        """Return the declared outputs.

        Parameters
        ----------
        state
            The whole topology at this step.
        outputs
            What the plugins before this one gave at this step, by plugin and name.

        Returns
        -------
        Mapping
            Every declared output, in its declared shape.
        """


@runtime_checkable
class ResumablePlugin(StatePlugin, Protocol):
    """A state plugin that can go on after a recorded step without having seen the steps before.

    Other plugins are shown all earlier states again when a recording is resumed.
    """

    def resume(self, state: TopologyState, outputs: Arrays) -> None:
        """Take up the state of the last recorded step.

        Parameters
        ----------
        state
            The last recorded step.
        outputs
            What this plugin gave then.
        """


class PluginRepository:
    """State plugins by name or by type.

    Parameters
    ----------
    plugins
        In the order in which they run. Names must differ.

    Raises
    ------
    leotrek_opt.errors.InputError
        If something is no state plugin, or two have one name.
    """

    def __init__(self, plugins: Sequence[StatePlugin] = ()) -> None:
        self._plugins: dict[str, StatePlugin] = {}
        for index, plugin in enumerate(plugins):
            at = f"state_plugins[{index}]"
            if not isinstance(plugin, StatePlugin):
                raise InputError(
                    f"{type(plugin).__name__} is no state plugin: it needs name, outputs and "
                    "after_step",
                    field=at,
                )
            if plugin.name in self._plugins:
                raise InputError(f'two plugins are named "{plugin.name}"', field=at)
            self._plugins[plugin.name] = plugin

    def __iter__(self) -> Iterator[StatePlugin]:
        return iter(self._plugins.values())

    def __len__(self) -> int:
        return len(self._plugins)

    def named(self, name: str) -> StatePlugin:
        """Return the plugin of a name.

        Parameters
        ----------
        name
            Its name.

        Returns
        -------
        StatePlugin
            The plugin.

        Raises
        ------
        leotrek_opt.errors.InputError
            If there is none, with the nearest name.
        """
        if name not in self._plugins:
            raise no_plugin(name, self._plugins)
        return self._plugins[name]

    def of_type(self, kind: type[_Plugin]) -> _Plugin:
        """Return the plugin of a type.

        Parameters
        ----------
        kind
            A class, or a protocol that can be checked at run time.

        Returns
        -------
        object
            The only plugin that is one.

        Raises
        ------
        leotrek_opt.errors.InputError
            If there is none or more than one.
        """
        found = [plugin for plugin in self._plugins.values() if isinstance(plugin, kind)]
        if len(found) != 1:
            raise InputError(
                f"{len(found) or 'no'} plugins are of type {kind.__name__}", field="state_plugins"
            )
        return found[0]

    def declared(self, run: Run) -> Run:
        """Add the outputs of these plugins to those that come with the states.

        Parameters
        ----------
        run
            Nodes, and outputs that come with the states.

        Returns
        -------
        Run
            A plugin that runs here stands in place of recorded outputs of its name.

        Raises
        ------
        leotrek_opt.errors.InputError
            If an output cannot be stored.
        """
        outputs = dict(run.outputs)
        for plugin in self:
            check_outputs(plugin.name, plugin.outputs, len(run.nodes), run.satellites)
            outputs[plugin.name] = dict(plugin.outputs)
        return Run(run.nodes, outputs, run.source_digest)

    def begin(self) -> None:
        """Tell the plugins that want to know that a run begins."""
        for plugin in self:
            begin = getattr(plugin, "begin", None)
            if begin is not None:
                begin()

    def after_step(
        self,
        run: Run,
        state: TopologyState,
        given: Mapping[str, Arrays],
        on_error: OnPluginError,
    ) -> dict[str, Arrays]:
        """Run every plugin on a state.

        Parameters
        ----------
        run
            From :meth:`declared`.
        state
            The step.
        given
            Outputs that come with the state.
        on_error
            ``raise``, or ``continue`` to log a failed plugin and go on without its outputs.

        Returns
        -------
        dict
            Outputs by plugin and name, those given included.

        Raises
        ------
        leotrek_opt.errors.InputError
            Naming plugin and step, if one fails and ``on_error`` is ``raise``.
        """
        outputs: dict[str, Arrays] = {
            name: arrays for name, arrays in given.items() if name not in self._plugins
        }
        for plugin in self:
            try:
                arrays = plugin.after_step(state, MappingProxyType(outputs))
                outputs[plugin.name] = _checked(
                    arrays, run.outputs[plugin.name], len(run.nodes), run.satellites
                )
            except Exception as error:
                failed(f'state plugin "{plugin.name}"', state.step, error, on_error)
        return outputs


def failed(what: str, step: int, error: Exception, on_error: OnPluginError) -> None:
    """Stop for the failure of a plugin, or log it.

    Parameters
    ----------
    what
        The plugin.
    step
        Index of the snapshot.
    error
        What it raised.
    on_error
        ``raise`` or ``continue``.

    Raises
    ------
    leotrek_opt.errors.InputError
        With ``raise``.
    """
    message = f"{what} failed at step {step}: {type(error).__name__}: {error}"
    if on_error == "raise":
        raise InputError(message) from error
    _LOGGER.warning("%s", " ".join(message.split()))


def no_plugin(name: object, known: Mapping[str, Any]) -> InputError:
    """Return the error for a name that no plugin has.

    Parameters
    ----------
    name
        What was asked for.
    known
        By name.

    Returns
    -------
    InputError
        With the nearest name.
    """
    hint = nearest_name(str(name), known) or f"; there is {', '.join(known) or 'none'}"
    return InputError(f'no plugin "{name}"{hint}')


def _checked(
    arrays: object, declared: Mapping[str, Output], nodes: int, satellites: int
) -> dict[str, NDArray[Any]]:
    if not isinstance(arrays, Mapping):
        raise TypeError(f"it must return its outputs by name, got {type(arrays).__name__}")
    if set(arrays) != set(declared):
        raise ValueError(
            f"it declares the outputs {sorted(declared)} and returned {sorted(map(str, arrays))}"
        )
    checked = {}
    for name, output in declared.items():
        array = np.asarray(arrays[name])
        shape = output.shape_at_a_step(nodes, satellites)
        if array.shape != shape:
            raise ValueError(f'output "{name}" must have shape {shape}, got {array.shape}')
        if not np.can_cast(array.dtype, output.dtype, casting="same_kind"):
            raise ValueError(f'output "{name}" must be {output.dtype}, got {array.dtype}')
        checked[name] = array.astype(output.dtype)
        checked[name].flags.writeable = False
    return checked
