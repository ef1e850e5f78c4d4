"""Large arrays beside a document: ``<digest of the document>.npz``, members named by content.

Nothing in the archive is trusted: no pickle, and type, shape and size are compared with what the
document says before any memory is asked for. A document names the archive by its digest, so it
holds no path.
"""

from __future__ import annotations

import math
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError

from leotrek_opt.instances.json_reader import MAX_RATIO, MAX_UNPACKED_BYTES
from leotrek_opt.models.base import rejection
from leotrek_opt.models.columns import array_reference
from leotrek_opt.models.messages import shown

DIGEST = re.compile(r"[0-9a-f]{64}")
"""A SHA-256 in lower-case hexadecimal; the only thing that a document may name a file by."""

MAX_DIMENSIONS = 2

_DTYPES = {"<f8": np.float64, "<i8": np.int64, "|b1": np.bool_}
_HEADER = re.compile(
    r"\{'descr': '(?P<dtype>[^']{1,16})', 'fortran_order': (?P<order>True|False), "
    r"'shape': \((?P<shape>[0-9, ]{0,60})\), \}\s*"
)
_KEYS = {"array", "shape", "dtype", "npz"}
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)


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
        except _DAMAGE as error:
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
        _check_directory(path)
        archive = zipfile.ZipFile(path)
        self._archives[npz] = archive
        return archive

    def _member(
        self, archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> NDArray[Any]:
        try:
            entry = archive.getinfo(f"{name}.npy")
        except KeyError:
            raise zipfile.BadZipFile(f"it has no {name}.npy") from None
        size = math.prod(shape) * dtype.itemsize
        # The header of such a file has at most a few hundred bytes.
        if not size < entry.file_size <= size + 4096:
            raise zipfile.BadZipFile(f"{name}.npy does not have the size of its shape")
        if entry.file_size > max(2**20, MAX_RATIO * entry.compress_size):
            raise zipfile.BadZipFile(f"{name}.npy unpacks to more than {MAX_RATIO} times its size")
        if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise zipfile.BadZipFile(f"{name}.npy is packed in a way that is not read")
        self._refuse_beyond_budget(size)
        with archive.open(entry) as stream:
            _check_header(stream, name, shape, dtype)
            array = np.empty(shape, dtype=dtype)
            _fill(stream, array)
            return array


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


def _check_directory(path: Path) -> None:
    """Refuse an archive whose directory alone would take much memory to read."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 42))
        tail = stream.read()
    locator, end = tail[:-22], tail[-22:]
    if len(end) < 22 or not end.startswith(b"PK\5\6"):
        raise zipfile.BadZipFile("it is not an archive of arrays")
    (directory_bytes,) = struct.unpack("<I", end[12:16])
    if directory_bytes > 2**20 or locator.startswith(b"PK\6\7"):
        raise zipfile.BadZipFile("its directory is too large")


def _check_header(
    stream: IO[bytes], name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> None:
    # Format 1.0 of numpy's .npy; read by hand because numpy evaluates what stands there.
    start = stream.read(10)
    if len(start) < 10 or start[:8] != b"\x93NUMPY\x01\x00":
        raise zipfile.BadZipFile(f"{name}.npy is not in numpy's format 1.0")
    (length,) = struct.unpack("<H", start[8:])
    header = _HEADER.fullmatch(stream.read(length).decode("latin-1"))
    if header is None:
        raise zipfile.BadZipFile(f"{name}.npy has a header that is not understood")
    sizes = tuple(int(size) for size in header["shape"].split(",") if size.strip())
    if (header["dtype"], header["order"], sizes) != (dtype.str, "False", shape):
        raise zipfile.BadZipFile(f"{name}.npy has another shape or type than the document says")


def _fill(stream: IO[bytes], array: NDArray[Any]) -> None:
    view = array.reshape(-1).view(np.uint8).data
    start = 0
    while start < len(view):
        chunk = stream.read(min(2**20, len(view) - start))
        if not chunk:
            raise zipfile.BadZipFile("it ends early")
        view[start : start + len(chunk)] = chunk
        start += len(chunk)
    if stream.read(1):
        raise zipfile.BadZipFile("it is longer than its shape")
