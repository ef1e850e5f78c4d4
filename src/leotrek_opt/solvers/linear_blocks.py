"""Named runs of columns or rows, and the labels that are made when somebody asks for them."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from leotrek_opt.errors import InputError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


class _Block(NamedTuple):
    name: str
    start: int
    shape: tuple[int, ...]
    words: Callable[..., str] | None

    def indices(self, position: int) -> tuple[int, ...]:
        return tuple(int(i) for i in np.unravel_index(position - self.start, self.shape))

    def label(self, position: int) -> str:
        indices = self.indices(position)
        return f"{self.name}[{','.join(map(str, indices))}]" if indices else self.name

    def in_words(self, position: int) -> str:
        if self.words is None:
            return self.label(position)
        return self.words(*self.indices(position))


class Blocks:
    """Blocks one after the other; each stands for as many columns or rows as its shape holds."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self.size = 0

    def add(self, name: str, shape: tuple[int, ...], words: Callable[..., str] | None) -> None:
        """Add a block at the end.

        Parameters
        ----------
        name
            Unlike that of any other block here.
        shape
            Of its indices.
        words
            Makes domain words of them, or None.

        Raises
        ------
        InputError
            If the name is malformed or taken.
        """
        if _NAME.fullmatch(name) is None:
            raise InputError(f"must match {_NAME.pattern}, not {name!r}", field="name")
        if any(block.name == name for block in self._blocks):
            raise InputError(f"stands for another block already: {name!r}", field="name")
        self._blocks.append(_Block(name, self.size, shape, words))
        self.size += math.prod(shape)

    def label(self, position: int) -> str:
        """Return block name and indices, such as ``place[3,17]``."""
        return self._block_of(position).label(position)

    def in_words(self, position: int) -> str:
        """Return the domain's words, or the label where the block has none."""
        return self._block_of(position).in_words(position)

    def copy(self) -> Blocks:
        """Return the same blocks, to which others can be added."""
        other = Blocks()
        other._blocks, other.size = list(self._blocks), self.size
        return other

    def __getstate__(self) -> dict[str, object]:
        # Words are closures as a rule, which do not pickle; without them a label is still there.
        return {
            "_blocks": [block._replace(words=None) for block in self._blocks],
            "size": self.size,
        }

    def _block_of(self, position: int) -> _Block:
        if not 0 <= position < self.size:
            raise InputError(f"must be in [0, {self.size}), not {position}", field="index")
        return self._blocks[bisect_right(self._blocks, position, key=lambda item: item.start) - 1]
