"""What only SCIP's own C functions offer: silence on stderr, and the names of all parameters.

OR-Tools brings SCIP as a shared library beside its own. Where it is found, SCIP keeps quiet and
hints can be given; where it is not, SCIP writes its complaints to stderr and there are no hints.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import ortools

_OKAY = 1

_lock = threading.Lock()
_silent_runs = 0


@contextmanager
def silence() -> Iterator[None]:
    """Keep SCIP from writing to stderr while at least one run needs it.

    MathOpt 9.15 catches an event that SCIP 10 no longer offers whenever a run can be interrupted,
    and SCIP reports that as an error each time. Errors that matter come back as codes.
    """
    global _silent_runs  # noqa: PLW0603 the setting belongs to the process
    library = _library()
    if library is None:
        yield
        return
    with _lock:
        _silent_runs += 1
        if _silent_runs == 1:
            library.SCIPmessageSetErrorPrinting(None, None)
    try:
        yield
    finally:
        with _lock:
            _silent_runs -= 1
            if _silent_runs == 0:
                library.SCIPmessageSetErrorPrintingDefault()


@cache
def parameter_names() -> tuple[str, ...]:
    """Return the names of SCIP's parameters, or nothing where its library is not found."""
    library = _library()
    if library is None:
        return ()
    scip = ctypes.c_void_p()
    if library.SCIPcreate(ctypes.byref(scip)) != _OKAY:
        return ()
    try:
        if library.SCIPincludeDefaultPlugins(scip) != _OKAY:
            return ()
        parameters = library.SCIPgetParams(scip)
        return tuple(
            library.SCIPparamGetName(parameters[i]).decode()
            for i in range(library.SCIPgetNParams(scip))
        )
    finally:
        library.SCIPfree(ctypes.byref(scip))


@cache
def _library() -> ctypes.CDLL | None:
    """Find the library that is loaded already; a second copy would have settings of its own."""
    folder = Path(ortools.__file__).parent
    found = [
        path for name in (".libs", ".dylibs") for path in sorted((folder / name).glob("libscip*"))
    ]
    if len(found) != 1:
        return None
    try:
        library = ctypes.CDLL(str(found[0]))
        library.SCIPmessageSetErrorPrinting.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        library.SCIPmessageSetErrorPrinting.restype = None
        library.SCIPmessageSetErrorPrintingDefault.argtypes = []
        library.SCIPmessageSetErrorPrintingDefault.restype = None
        library.SCIPcreate.argtypes = [ctypes.POINTER(ctypes.c_void_p)]
        library.SCIPfree.argtypes = [ctypes.POINTER(ctypes.c_void_p)]
        library.SCIPincludeDefaultPlugins.argtypes = [ctypes.c_void_p]
        library.SCIPgetParams.argtypes = [ctypes.c_void_p]
        library.SCIPgetParams.restype = ctypes.POINTER(ctypes.c_void_p)
        library.SCIPgetNParams.argtypes = [ctypes.c_void_p]
        library.SCIPparamGetName.argtypes = [ctypes.c_void_p]
        library.SCIPparamGetName.restype = ctypes.c_char_p
    except (OSError, AttributeError):
        return None
    return library
