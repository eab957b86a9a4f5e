"""Files of the home that change together with the case store: policy, mappings, scenarios.

    with placing(home) as files, acting(store, caller, "rule.change", at) as act:
        after = files.put(path, text)
        act.journal(...)

What is put lies aside, on disk, until the transaction is committed, and goes into place then: no file changes of which the
journal does not tell. Where anything is refused or fails, all files stay as they were. One change at a time in a home.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitoring.exporting.writing import sync_folder


class Placing:
    """What is to happen to files once the transaction holds, in the order in which it was asked."""

    def __init__(self) -> None:
        self._moves: list[tuple[Path, Path | None]] = []
        self._aside: list[Path] = []

    def put(self, path: Path, text: str) -> str:
        """The file whole, in place of an older one; the digest that it will have."""
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.new")
        self._aside.append(aside)
        with aside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self._moves.append((aside, path))
        return digest_of(aside)

    def move(self, path: Path, to: Path) -> None:
        to.parent.mkdir(parents=True, exist_ok=True)
        self._moves.append((path, to))

    def remove(self, path: Path) -> None:
        self._moves.append((path, None))

    def happen(self) -> None:
        for path, to in self._moves:
            if to is None:
                path.unlink(missing_ok=True)
            else:
                path.replace(to)
                sync_folder(to.parent)
            sync_folder(path.parent)

    def clear(self) -> None:
        for aside in self._aside:
            aside.unlink(missing_ok=True)


@contextmanager
def placing(home: Path) -> Iterator[Placing]:
    """To be entered before the transaction, so that it is left after it."""
    home.mkdir(parents=True, exist_ok=True)
    files = Placing()
    with (home / ".placing").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        try:
            yield files
            files.happen()
        finally:
            files.clear()


def digest_of(path: Path) -> str:
    """The SHA-256 of a file; "" where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
