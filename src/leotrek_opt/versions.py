"""What is installed: this package, the libraries it stands on, and the engines it can reach."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TypedDict

DISTRIBUTION = "leotrek-opt"

REQUIRED = (
    "highspy",
    "networkx",
    "numpy",
    "ortools",
    "pydantic",
    "pyomo",
    "rich",
    "scipy",
    "sgp4",
    "typer",
)
"""Distributions that the package cannot work without."""

OPTIONAL = ("matplotlib", "plotly", "torch")
"""Distributions that come with an extra."""

# Which distribution carries which engine, by the names that `solve` takes.
_ENGINES = {
    "highs": "highspy",
    "cpsat": "ortools",
    "scip": "ortools",
    "pdlp": "ortools",
    "pyomo": "pyomo",
}


class Versions(TypedDict):
    """What :func:`show_versions` returns."""

    leotrek_opt: str
    python: str
    platform: str
    packages: dict[str, str | None]
    engines: dict[str, str]


def installed_version(distribution: str) -> str | None:
    """Return the version of an installed distribution without importing it.

    Parameters
    ----------
    distribution
        Name as the package index spells it, such as ``ortools``.

    Returns
    -------
    str or None
        The version, or ``None`` when it is not installed.
    """
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def show_versions() -> Versions:
    """Return the versions that belong in every report of a problem.

    Nothing heavy is imported: versions come from package metadata.

    Returns
    -------
    Versions
        ``leotrek_opt``, ``python``, ``platform``, ``packages`` (``None`` for what is not
        installed) and ``engines`` (name that ``solve`` takes, to what carries the engine).

    Examples
    --------
    >>> import leotrek_opt as lt
    >>> lt.show_versions()["engines"]["highs"].split()[0]
    'highspy'
    """
    packages = {name: installed_version(name) for name in (*REQUIRED, *OPTIONAL)}
    engines = {
        engine: f"{distribution} {packages[distribution]}"
        for engine, distribution in _ENGINES.items()
        if packages[distribution] is not None
    }
    return Versions(
        leotrek_opt=__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        packages=packages,
        engines=engines,
    )


__version__ = installed_version(DISTRIBUTION) or "0+not.installed"
