"""Arrays as members of a zip archive, believed only as far as they are what was asked for."""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MAX_DIRECTORY_BYTES = 16 * 2**20
"""Largest directory of an archive, unless less is allowed."""

DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)
"""What reading a damaged archive may raise."""

_DATE = (1980, 1, 1, 0, 0, 0)
_MAX_HEADER_BYTES = 4096
_READ_BYTES = 2**20
_HEADER = re.compile(
    r"\{'descr': '(?P<dtype>[^']{1,16})', 'fortran_order': (?P<order>True|False), "
    r"'shape': \((?P<shape>[0-9, ]{0,120})\), \}\s*"
)


def check_directory(path: Path, max_bytes: int = MAX_DIRECTORY_BYTES) -> None:
    """Refuse a file that is no archive, or whose directory alone would take much memory.

    Parameters
    ----------
    path
        A file.
    max_bytes
        Largest directory.

    Raises
    ------
    zipfile.BadZipFile
        Saying which.
    """
    with path.open("rb") as stream:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(max(0, size - 42))
        tail = stream.read()
        locator, end = tail[:-22], tail[-22:]
        if len(end) < 22 or not end.startswith(b"PK\5\6"):
            raise zipfile.BadZipFile("it is not a complete archive of arrays")
        (directory_bytes,) = struct.unpack("<I", end[12:16])
        if locator.startswith(b"PK\6\7"):
            (place,) = struct.unpack("<Q", locator[8:16])
            stream.seek(min(place, size))
            record = stream.read(56)
            if len(record) < 56 or not record.startswith(b"PK\6\6"):
                raise zipfile.BadZipFile("its directory is damaged")
            (directory_bytes,) = struct.unpack("<Q", record[40:48])
    if directory_bytes > min(size, max_bytes):
        raise zipfile.BadZipFile("its directory is too large")


def write_member(
    archive: zipfile.ZipFile, name: str, data: bytes, *, compressed: bool = True
) -> None:
    """Append a member; the same content gives the same bytes.

    Parameters
    ----------
    archive
        Open for writing.
    name
        Of the member.
    data
        Its content.
    compressed
        Whether it is worth the time.
    """
    entry = zipfile.ZipInfo(name, date_time=_DATE)
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    archive.writestr(entry, data, compress_type=method, compresslevel=1)


def npy_bytes(array: NDArray[Any]) -> bytes:
    """Return an array in numpy's format.

    Parameters
    ----------
    array
        Of numbers or booleans.

    Returns
    -------
    bytes
        Little-endian, C order, without pickle.
    """
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    stream = io.BytesIO()
    np.lib.format.write_array(
        stream, little.reshape(array.shape), version=(1, 0), allow_pickle=False
    )
    return stream.getvalue()


def read_bytes_member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return the content of a member.

    Parameters
    ----------
    archive
        Open for reading.
    name
        Of the member.
    limit
        Most bytes that it may have.

    Returns
    -------
    bytes
        Unpacked.

    Raises
    ------
    zipfile.BadZipFile
        If there is none, or it is larger.
    """
    entry = _entry(archive, name)
    if entry.file_size > limit:
        raise zipfile.BadZipFile(f"{name} is larger than {limit} bytes")
    with archive.open(entry) as stream:
        data = stream.read(limit + 1)
    if len(data) != entry.file_size:
        raise zipfile.BadZipFile(f"{name} does not have its stated size")
    return data


def read_array_member(
    archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    """Return an array of a known type and shape.

    Parameters
    ----------
    archive
        Open for reading.
    name
        Of the member.
    dtype, shape
        What it must be; both are compared with what is there before memory is asked for.

    Returns
    -------
    ndarray
        Writable, native byte order.

    Raises
    ------
    zipfile.BadZipFile
        If there is none, or it is anything else.
    """
    return read_array(archive, array_entry(archive, name, dtype, shape), dtype, shape)


def array_entry(
    archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> zipfile.ZipInfo:
    """Return where an array stands, if it has the size of its type and shape.

    Parameters
    ----------
    archive, name, dtype, shape
        As for :func:`read_array_member`.

    Returns
    -------
    zipfile.ZipInfo
        Nothing of it is read yet.

    Raises
    ------
    zipfile.BadZipFile
        If there is none, or it has another size.
    """
    entry = _entry(archive, name)
    size = math.prod(shape) * dtype.itemsize
    if not size < entry.file_size <= size + _MAX_HEADER_BYTES:
        raise zipfile.BadZipFile(f"{name} does not have the size of its shape")
    return entry


def read_array(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
) -> NDArray[Any]:
    """Read an array from where :func:`array_entry` found it.

    Parameters
    ----------
    archive, entry, dtype, shape
        As they were given and returned there.

    Returns
    -------
    ndarray
        Writable, native byte order.

    Raises
    ------
    zipfile.BadZipFile
        If it is of another type or shape, or damaged.
    """
    name = entry.filename
    with archive.open(entry) as stream:
        _check_header(stream, name, dtype, shape)
        array = np.empty(shape, dtype=dtype)
        _fill(stream, array, name)
    if dtype.kind == "b" and array.view(np.uint8).max(initial=0) > 1:
        raise zipfile.BadZipFile(f"{name} has booleans other than 0 and 1")
    return array


def _entry(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    try:
        entry = archive.getinfo(name)
    except KeyError:
        raise zipfile.BadZipFile(f"it has no {name}") from None
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise zipfile.BadZipFile(f"{name} is packed in a way that is not read")
    return entry


def _check_header(
    stream: IO[bytes], name: str, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> None:
    # Read by hand because numpy evaluates what stands there.
    start = stream.read(10)
    if len(start) < 10 or start[:8] != b"\x93NUMPY\x01\x00":
        raise zipfile.BadZipFile(f"{name} is not in numpy's format 1.0")
    (length,) = struct.unpack("<H", start[8:])
    header = _HEADER.fullmatch(stream.read(length).decode("latin-1"))
    if header is None:
        raise zipfile.BadZipFile(f"{name} has a header that is not understood")
    sizes = tuple(int(size) for size in header["shape"].split(",") if size.strip())
    if (header["dtype"], header["order"], sizes) != (dtype.str, "False", shape):
        raise zipfile.BadZipFile(
            f"{name} must be {dtype.str} of shape {shape} in C order, "
            f"is {header['dtype']} of shape {sizes}"
        )


def _fill(stream: IO[bytes], array: NDArray[Any], name: str) -> None:
    view = array.reshape(-1).view(np.uint8).data
    start = 0
    while start < len(view):
        chunk = stream.read(min(_READ_BYTES, len(view) - start))
        if not chunk:
            raise zipfile.BadZipFile(f"{name} ends early")
        view[start : start + len(chunk)] = chunk
        start += len(chunk)
    if stream.read(1):
        raise zipfile.BadZipFile(f"{name} is longer than its shape")
