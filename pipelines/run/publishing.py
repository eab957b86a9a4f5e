"""Publishing a warehouse: built under a temporary name, checked, then named in the pointer, atomically.

Every run has a file name of its own, because DuckDB caches open files by path. A run that dies leaves a `.building` file,
which the next run removes; the published files are never touched.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitoring.warehouse import POINTER

BUILDING = ".building-"


class Publisher:
    """The warehouse folder of one home."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "warehouse"
        self.folder.mkdir(parents=True, exist_ok=True)

    def sweep(self) -> None:
        """Removes what interrupted runs left behind."""
        for path in self.folder.glob(f"{BUILDING}*"):
            path.unlink()

    def building(self, run_id: str) -> Path:
        return self.folder / f"{BUILDING}{run_id}.duckdb"

    def free_run_id(self, stem: str) -> str:
        """A run id that no file in the folder has: the stem and a number."""
        taken = {p.stem for p in self.folder.glob(f"{stem}-*.duckdb")}
        number = 1
        while f"{stem}-{number}" in taken:
            number += 1
        return f"{stem}-{number}"

    def pointer(self) -> dict[str, Any]:
        path = self.folder / POINTER
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"latest": "", "periods": {}}

    def file_of(self, period: str) -> Path | None:
        """The published warehouse of a period, or None."""
        entry = self.pointer()["periods"].get(period)
        return self.folder / str(entry["file"]) if entry else None

    def publish(self, building: Path, run_id: str, period: str, counts: Mapping[str, int]) -> Path:
        """Gives the finished file its name and points the period at it; both survive a power cut in this order."""
        target = self.folder / f"{run_id}.duckdb"
        with building.open("rb") as f:
            sha256 = hashlib.file_digest(f, "sha256").hexdigest()
            os.fsync(f.fileno())
        building.rename(target)
        sync(self.folder)
        pointer = self.pointer()
        pointer["periods"][period] = {"run": run_id, "file": target.name, "sha256": sha256, "counts": dict(counts)}
        pointer["periods"] = dict(sorted(pointer["periods"].items()))
        pointer["latest"] = max(pointer["periods"])
        temporary = self.folder / f"{POINTER}.new"
        with temporary.open("w", encoding="utf-8") as out:
            json.dump(pointer, out, ensure_ascii=False, indent=1)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(self.folder / POINTER)
        sync(self.folder)
        return target

    def prune(self, keep: int) -> list[str]:
        """Removes unpublished warehouses (superseded runs) but the newest `keep`; returns the names removed."""
        published = {str(e["file"]) for e in self.pointer()["periods"].values()}
        spare = sorted(
            (p for p in self.folder.glob("*.duckdb") if p.name not in published and not p.name.startswith(".")),
            key=lambda p: p.stat().st_mtime,
        )
        removed = spare[: max(0, len(spare) - keep)]
        for path in removed:
            path.unlink()
        return [p.name for p in removed]


def sync(path: Path) -> None:
    """What a file holds, or which names a folder has, is on the disk from here on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
