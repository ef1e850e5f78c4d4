"""The optional packages that draw."""

from __future__ import annotations

import importlib
from types import ModuleType

from leotrek_opt.errors import MissingDependencyError


def drawing_module(name: str) -> ModuleType:
    """Import a module of the extra ``report``.

    Parameters
    ----------
    name
        Such as ``matplotlib.figure``.

    Returns
    -------
    module
        The module.

    Raises
    ------
    leotrek_opt.errors.MissingDependencyError
        If its package is not installed; the text names the command that installs it.
    """
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise
        raise MissingDependencyError(
            f"{package} is not installed: pip install 'leotrek-opt[report]'"
        ) from None
