"""The errors this library raises: one small hierarchy under :class:`LeotrekError`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LeotrekError(Exception):
    """Base class of every error raised on purpose by this library."""


class InputError(LeotrekError, ValueError):
    """A document, an argument or a file that cannot be accepted.

    Parameters
    ----------
    message
        What is wrong and what would be accepted, without file or field.
    file
        The file the input came from, where there is one.
    field
        Path of the offending field, such as ``workflows[0].edges[3].target``.

    Notes
    -----
    ``str(error)`` is always a single line ``file: field: message``.
    """

    def __init__(
        self, message: str, *, file: str | Path | None = None, field: str | None = None
    ) -> None:
        self.message = " ".join(message.split())
        self.file = str(file) if file is not None else None
        self.field = field
        super().__init__(self.message)

    def __str__(self) -> str:
        parts = [part for part in (self.file, self.field, self.message) if part]
        return ": ".join(parts)

    def in_file(self, file: str | Path) -> InputError:
        """Return the same error, naming the file it came from.

        Parameters
        ----------
        file
            The file that was being read.

        Returns
        -------
        InputError
            A new error of the same class.
        """
        return type(self)(self.message, file=file, field=self.field)


@contextmanager
def errors_in(file: str | Path | None) -> Iterator[None]:
    """Name a file in the input errors that name none.

    Parameters
    ----------
    file
        The file that is read or written; None for content without a file.

    Yields
    ------
    None
        Once.

    Raises
    ------
    InputError
        In place of one that names no file. A part in another file has named that one already.
    """
    try:
        yield
    except InputError as error:
        if file is None or error.file is not None:
            raise
        raise error.in_file(file) from None


class StepError(InputError, IndexError):
    """A step that a time grid does not have.

    An ``IndexError`` too, so that a series may be read like any other sequence.
    """


class UnsupportedError(LeotrekError):
    """A method was asked for something that it declares it cannot take."""


class ModelTooLargeError(UnsupportedError):
    """A formulation would exceed the allowed number of nonzeros; the text says how large it is."""


class EngineError(LeotrekError):
    """A solver engine failed, or answered something that cannot be true."""


class MissingDependencyError(LeotrekError):
    """An optional package is needed; the text carries the command that installs it."""
