"""Large arrays beside a document: ``<digest of the document>.npz``, members named by content.

Nothing in the archive is trusted: no pickle, and type, shape and size are compared with what the
document says before any memory is asked for. A document names the archive by its digest, so it
holds no path.
"""

from __future__ import annotations

import math
import re
import zipfile
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError

from leotrek_opt.instances.json_reader import MAX_RATIO, MAX_UNPACKED_BYTES
from leotrek_opt.instances.npy_members import (
    DAMAGE,
    array_entry,
    check_directory,
    read_array,
)
from leotrek_opt.models.base import rejection
from leotrek_opt.models.columns import array_reference
from leotrek_opt.models.messages import shown

DIGEST = re.compile(r"[0-9a-f]{64}")
"""A SHA-256 in lower-case hexadecimal; the only thing that a document may name a file by."""

MAX_DIMENSIONS = 2

_DTYPES = {"<f8": np.float64, "<i8": np.int64, "|b1": np.bool_}
_KEYS = {"array", "shape", "dtype", "npz"}
_MAX_DIRECTORY_BYTES = 2**20


class ArrayReader:
    """Reads the arrays that a document refers to; each archive is opened once.

    Parameters
    ----------
    folder
        Where the document lies; None for a document that has no folder.
    arrays
        Arrays that are already at hand, by content hash.

    Notes
    -----
    Meant as ``context={"load_array": reader}`` of a validation. All arrays of one document together
    may have :data:`~leotrek_opt.instances.json_reader.MAX_UNPACKED_BYTES`.
    """

    def __init__(self, folder: Path | None, arrays: dict[str, NDArray[Any]] | None = None) -> None:
        self._folder = folder
        self._arrays = dict(arrays or {})
        self._archives: dict[str, zipfile.ZipFile] = {}
        self._remaining_bytes = MAX_UNPACKED_BYTES

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for archive in self._archives.values():
            archive.close()

    def __call__(self, reference: dict[str, Any]) -> NDArray[Any]:
        """Return the array that a reference names, read-only.

        Parameters
        ----------
        reference
            ``array``, ``shape``, ``dtype`` and ``npz`` as they stand in the document.

        Returns
        -------
        ndarray
            Shape and type as referred to, content by its hash.

        Raises
        ------
        pydantic_core.PydanticCustomError
            If the reference or the archive is not as it should be.
        """
        name, shape, dtype = _checked_reference(reference)
        array = self._arrays.get(name)
        if array is None:
            array = self._read(reference.get("npz"), name, shape, dtype)
            self._arrays[name] = array
        if array.shape != shape or array.dtype != dtype:
            raise rejection("", "has another shape or type than its content")
        self._refuse_beyond_budget(array.nbytes)
        self._remaining_bytes -= array.nbytes
        return array

    def _refuse_beyond_budget(self, size: int) -> None:
        if size > self._remaining_bytes:
            limit = MAX_UNPACKED_BYTES // 2**20
            raise rejection("", f"the arrays of a document may have {limit} MiB together")

    def _read(
        self, npz: Any, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> NDArray[Any]:
        if not isinstance(npz, str) or not DIGEST.fullmatch(npz):
            raise rejection("npz", f"must be a SHA-256 in hexadecimal (got {shown(npz)})")
        try:
            array = self._member(self._archive(npz), name, shape, dtype)
        except PydanticCustomError:
            raise
        except DAMAGE as error:
            # zipfile quotes as much of the file as a damaged header asks for.
            raise rejection("", f"{npz}.npz is damaged: {str(error)[:200]}") from None
        if array_reference(array)["array"] != name:
            raise rejection("", f"{npz}.npz does not hold what the document was saved with")
        array.flags.writeable = False
        return array

    def _archive(self, npz: str) -> zipfile.ZipFile:
        if npz in self._archives:
            return self._archives[npz]
        if self._folder is None:
            raise rejection("", "lies beside a document, which was not read from a file")
        path = self._folder / f"{npz}.npz"
        if not path.is_file():
            raise rejection("", f"no file {npz}.npz beside the document")
        check_directory(path, _MAX_DIRECTORY_BYTES)
        archive = zipfile.ZipFile(path)
        self._archives[npz] = archive
        return archive

    def _member(
        self, archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> NDArray[Any]:
        entry = array_entry(archive, f"{name}.npy", dtype, shape)
        if entry.file_size > max(2**20, MAX_RATIO * entry.compress_size):
            raise zipfile.BadZipFile(f"{name}.npy unpacks to more than {MAX_RATIO} times its size")
        self._refuse_beyond_budget(math.prod(shape) * dtype.itemsize)
        return read_array(archive, entry, dtype, shape)


def write_arrays(stream: IO[bytes], arrays: dict[str, NDArray[Any]]) -> None:
    """Write an archive that :class:`ArrayReader` reads and ``numpy.load`` does too.

    Parameters
    ----------
    stream
        Binary file open for writing.
    arrays
        Arrays by content hash.
    """
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            # The same content gives the same bytes: no time of day in the archive.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            array = arrays[name]
            little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, little, allow_pickle=False)


def _checked_reference(
    reference: dict[str, Any],
) -> tuple[str, tuple[int, ...], np.dtype[Any]]:
    if "array" not in reference:
        raise rejection("", "must be a list of numbers")
    name, shape, dtype = (reference.get(key) for key in ("array", "shape", "dtype"))
    for key in reference:
        if key not in _KEYS:
            raise rejection("", f"unknown key {shown(key)} in a reference to an array")
    if not isinstance(name, str) or not DIGEST.fullmatch(name):
        raise rejection("array", f"must be a SHA-256 in hexadecimal (got {shown(name)})")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise rejection("dtype", f"must be one of {', '.join(_DTYPES)} (got {shown(dtype)})")
    if (
        not isinstance(shape, list)
        or not 1 <= len(shape) <= MAX_DIMENSIONS
        or any(type(length) is not int or not 0 <= length <= MAX_UNPACKED_BYTES for length in shape)
    ):
        raise rejection("shape", "must be a list of one or two sizes")
    return name, tuple(shape), np.dtype(_DTYPES[dtype])
