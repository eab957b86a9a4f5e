"""Reads and conforms an inbox into one delivery on disk, with its ledger: where every row of every file went.

For each part (a text file, or a sheet): rows read = loaded + duplicate + quarantined + not data. Parts without a feed
are listed with the reason and count no rows; a file of which nothing can be used stands in `quarantine` as a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from monitoring.correcting import CORRECTION, WHOLE_LINE
from monitoring.feeds import Feed
from pipelines.conform import Conformed, combine_families, conform_part, dedupe, pairing
from pipelines.reading import FileReading, Known, Part, read_file, targets
from pipelines.run.side_by_side import side_by_side

WORKERS = 3  # of two cores: each waits for the disk, for a workbook's own process, or for Python now and then
# Of files on disk that are under way at once; in memory one is several times as large. The largest ledger of a county of a
# million (160 MB) must leave room for others beside it, but not for the next largest.
BYTES_UNDER_WAY = 240_000_000
HELD_CELLS = 150_000_000  # of parts that wait in memory until their feed is put together; beyond that they wait on disk
SMALL_ROWS = 150_000  # a part of fewer rows always waits in memory
SKIPPED = ("~$", ".")  # lock files of an open Excel, hidden files

PART = {
    "part": pl.Int32, "file": pl.String, "sheet": pl.String, "feed": pl.String, "layout": pl.String, "format": pl.String,
    "encoding": pl.String, "sha256": pl.String, "heading_rows": pl.String, "rows_read": pl.Int32, "loaded": pl.Int32,
    "duplicate": pl.Int32, "quarantined": pl.Int32, "not_data": pl.Int32, "reason": pl.String, "unknown_headings": pl.String,
}  # fmt: skip
LEDGER: dict[str, dict[str, Any]] = {
    "part": PART,
    "quarantine": {
        "part": pl.Int32,
        "row": pl.Int32,
        "feed": pl.String,
        "department": pl.String,
        "reasons": pl.String,
        "raw": pl.String,
    },
    "not_data": {"part": pl.Int32, "row": pl.Int32, "why": pl.String, "text": pl.String},
    "duplicate": {"part": pl.Int32, "row": pl.Int32, "first_part": pl.Int32, "first_row": pl.Int32},
    "value_issue": {
        "part": pl.Int32,
        "row": pl.Int32,
        "feed": pl.String,
        "heading": pl.String,
        "value": pl.String,
        "problem": pl.String,
    },
    "supplement": {"part": pl.Int32, "row": pl.Int32, "feed": pl.String},
    "heading": {"part": pl.Int32, "heading": pl.String, "own": pl.String},
    "correction": {"part": pl.Int32, "row": pl.Int32, "key": pl.String},
}


@dataclass(frozen=True)
class Conforming:
    """One file, read and conformed: each part without its raw cells, and what became of them (None: no feed). The rows of
    parts in `waiting` (by place) lie in a file on disk."""

    reading: FileReading
    conformed: list[Conformed | None]
    waiting: dict[int, Path] = field(default_factory=dict)


@dataclass
class Intake:
    """What came in: the ledger tables by name; `loaded` rows by feed are on disk as <feed>.parquet."""

    ledger: dict[str, pl.DataFrame]
    files: int
    feeds: dict[str, int] = field(default_factory=dict)


def inbox_files(inbox: Path) -> list[Path]:
    """The files of an inbox in a fixed order, without hidden and lock files.

    A link that leads nowhere or to a folder is among them: it cannot be read, and that has to be said.
    """
    return sorted(
        (
            p
            for p in inbox.rglob("*")
            if (p.is_file() or p.is_symlink())
            and not any(part.startswith(SKIPPED) for part in p.relative_to(inbox).parts)
        ),
        key=lambda p: p.relative_to(inbox).as_posix(),
    )


class Collector:
    """Takes readings one by one and puts each feed's rows together at the end."""

    def __init__(self, feeds: Mapping[str, Feed], folder: Path | None) -> None:
        self.feeds, self.folder = feeds, folder
        self.parts: list[dict[str, Any]] = []
        self.tables: dict[str, list[pl.DataFrame]] = {name: [] for name in LEDGER if name != "part"}
        # With the part that they are of, where they do not say it.
        self.rows: dict[str, list[tuple[pl.DataFrame | Path, int | None]]] = {}
        self.held = 0
        self.pairs: dict[str, dict[str, list[pl.DataFrame]]] = {}

    def take(self, reading: FileReading) -> None:
        """One file as read: its parts conformed, what cannot be used listed."""
        self.keep(conform(reading, self.feeds))

    def lay_by(self, file: Conforming, name: str) -> Conforming:
        """The file with what memory has no room for laid on disk, until it is kept; `name` is no other file's."""
        waiting = {}
        for place, done in enumerate(file.conformed):
            if done is None:
                continue
            cells = done.rows.height * done.rows.width
            if self.folder is None or done.rows.height <= SMALL_ROWS or self.held + cells <= HELD_CELLS:
                self.held += cells
                continue
            waiting[place] = self.folder / f"{name}.{place}.waiting"
            done.rows.write_parquet(waiting[place], compression="lz4")
        rest = [
            replace(done, rows=done.rows.clear()) if place in waiting and done else done
            for place, done in enumerate(file.conformed)
        ]
        return replace(file, conformed=rest, waiting=waiting)

    def keep(self, file: Conforming) -> None:
        """One file as conformed."""
        reading = file.reading
        if reading.problem and not reading.parts:
            self._list(reading, Part("", None, reason=reading.problem), None)
        for place, (part, done) in enumerate(zip(reading.parts, file.conformed, strict=True)):
            self._list(reading, part, done, file.waiting.get(place))
        if reading.problem:
            number = len(self.parts) - max(1, len(reading.parts))
            raw = pl.DataFrame({"part": [number], "row": [None], "feed": [None], "department": [None],
                                "reasons": [reading.problem], "raw": [None]}, schema=LEDGER["quarantine"])  # fmt: skip
            self.tables["quarantine"].append(raw)

    def _list(self, reading: FileReading, part: Part, done: Conformed | None, waiting: Path | None = None) -> None:
        number = len(self.parts)
        self.parts.append({
            "part": number, "file": reading.file, "sheet": part.sheet, "feed": part.feed, "layout": part.layout,
            "format": reading.format, "encoding": reading.encoding, "sha256": reading.sha256,
            "heading_rows": "、".join(map(str, part.heading_rows)), "rows_read": part.rows_read, "loaded": 0, "duplicate": 0,
            "quarantined": 0, "not_data": part.not_data.height, "reason": part.reason or None,
            "unknown_headings": "、".join(part.unknown_headings) or None,
        })  # fmt: skip
        if part.feed is None or done is None:
            return
        feed = self.feeds[part.feed]
        known = feed.layout_columns(part.layout)
        own = [(number, known[name].heading, written) for name, written in part.headings.items()]
        self.tables["heading"].append(pl.DataFrame(own, schema=LEDGER["heading"], orient="row"))
        if CORRECTION in part.unknown_headings:
            whole = done if waiting is None else replace(done, rows=pl.read_parquet(waiting))
            self._keep("correction", number, corrections(whole))
        self._keep("not_data", number, part.not_data)
        line = pl.struct(pl.col("text").alias(WHOLE_LINE)).struct.json_encode()
        broken = part.broken.select("row", reasons="why", raw=line)
        self._keep("quarantine", number, pl.concat([done.quarantine.select("row", "reasons", "raw"), broken]), feed)
        self._keep("value_issue", number, done.issues, feed)
        rows = done.rows if waiting is None else waiting
        pair = pairing(feed, part.layout)
        if pair:
            self.pairs.setdefault(feed.id, {}).setdefault(pair, []).append(_of_part(rows, number))
            return
        self.rows.setdefault(feed.id, []).append((rows, number))

    def _keep(self, table: str, number: int, frame: pl.DataFrame, feed: Feed | None = None) -> None:
        if not frame.height:
            return
        extra: dict[str, Any] = {"part": pl.lit(number, pl.Int32)}
        if feed is not None:
            extra |= {"feed": pl.lit(feed.id), "department": pl.lit(feed.department)}
        self.tables[table].append(
            frame.with_columns(**extra).select(pl.col(c).cast(t) for c, t in LEDGER[table].items())
        )

    def finish(self) -> Intake:
        """Duplicates out, rows written, the ledger balanced."""
        self._combine()
        with ThreadPoolExecutor(WORKERS) as workers:
            done = dict(zip(sorted(self.rows), workers.map(self._write, sorted(self.rows)), strict=True))
        loaded = [origins for origins, _ in done.values()]
        self.tables["duplicate"] += [
            duplicate.select(pl.col(c).cast(t) for c, t in LEDGER["duplicate"].items())
            for _, duplicate in done.values()
            if duplicate.height
        ]
        if self.folder is not None:
            for waiting in self.folder.glob("*.waiting"):
                waiting.unlink()
        ledger = {
            name: pl.concat(self.tables[name]) if self.tables.get(name) else pl.DataFrame(schema=schema)
            for name, schema in LEDGER.items()
            if name != "part"
        }
        ledger["part"] = self._balance(
            pl.concat(loaded) if loaded else pl.DataFrame(schema={"part": pl.Int32, "row": pl.Int32}), ledger
        )
        if self.folder is not None:
            for name, frame in ledger.items():
                frame.write_parquet(self.folder / f"{name}.ledger.parquet", compression="lz4")
        return Intake(ledger, len({p["file"] for p in self.parts}), {f: rows.height for f, (rows, _) in done.items()})

    def _write(self, feed_id: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Puts a feed's rows on disk without duplicates; where the rows come from, and the duplicates."""
        waiting, self.rows[feed_id] = self.rows[feed_id], []
        done = dedupe([_of_part(rows, number) for rows, number in waiting])
        if self.folder is not None:
            done.rows.write_parquet(self.folder / f"{feed_id}.parquet", compression="lz4", statistics=False)
        return done.rows.select("part", "row"), done.duplicate

    def _combine(self) -> None:
        """Family and person files of one feed become rows of persons; see `pipelines.conform.families`."""
        for feed_id, pair in self.pairs.items():
            feed = self.feeds[feed_id]
            sides = {kind: pl.concat(frames) if (frames := pair.get(kind)) else None for kind in ("person", "family")}
            done = combine_families(feed, sides["person"], sides["family"])
            self.rows.setdefault(feed_id, []).append((done.rows, None))
            for name, frame in (
                ("quarantine", done.quarantine),
                ("value_issue", done.issues),
                ("supplement", done.supplements),
            ):
                if frame.height:
                    named = frame.with_columns(feed=pl.lit(feed_id), department=pl.lit(feed.department))
                    self.tables[name].append(named.select(pl.col(c).cast(t) for c, t in LEDGER[name].items()))

    def _balance(self, rows: pl.DataFrame, ledger: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """Counts each row of a file once: loaded, else duplicate, else quarantined. Only a row of files that come in pairs
        may stand in `rows` several times, and as a duplicate beside them."""
        parts = pl.DataFrame(self.parts, schema=PART)
        origin = ["part", "row"]
        in_pairs = pl.col("part").is_in([p["part"] for p in self.parts if p["feed"] in self.pairs])
        several = pl.concat([rows.filter(in_pairs), ledger["supplement"].select(origin)]).unique()
        kept = pl.concat([rows.filter(~in_pairs), several])
        dropped = ledger["duplicate"].select(origin).unique().join(several, on=origin, how="anti")
        refused = ledger["quarantine"].drop_nulls("row").select(origin).unique()
        for column, frame in (("loaded", kept), ("duplicate", dropped), ("quarantined", refused)):
            counted = frame.group_by("part").len(name="n").with_columns(pl.col("n").cast(pl.Int32))
            parts = (
                parts.join(counted, on="part", how="left", maintain_order="left")
                .with_columns(pl.col("n").fill_null(0).alias(column))
                .drop("n")
            )
        return parts


def corrections(done: Conformed) -> pl.DataFrame:
    """The rows that say which quarantined row they correct, whatever became of them: row, key."""
    key = f"$['{CORRECTION}']"
    found = [
        frame.select("row", pl.col(told).str.json_path_match(key).str.strip_chars().alias("key"))
        for frame, told in ((done.rows, "extra"), (done.quarantine, "raw"))
    ]
    return pl.concat(found).drop_nulls("key").unique().sort("row", "key")


def conform(reading: FileReading, feeds: Mapping[str, Feed]) -> Conforming:
    """Conforms every part of a file and lets go of its raw cells."""
    done = [conform_part(feeds[p.feed], p.frame, p.layout, p.scale) if p.feed else None for p in reading.parts]
    return Conforming(replace(reading, parts=[replace(p, frame=pl.DataFrame()) for p in reading.parts]), done)


def receive(
    inbox: Path,
    feeds: Mapping[str, Feed],
    folder: Path,
    told: Callable[[int, int, str], None],
    known: Known | None = None,
) -> Intake:
    """Reads every file of the inbox; `told(done, of, name)` reports progress. `known`: the `targets` of the feeds, where they
    are made once for many inboxes.

    Several files are under way at once, as far as memory allows: parts of the work use one core only (decoding, a
    workbook's own process). They are put together in their order, so that a part has the same number in every run.
    """
    files = inbox_files(inbox)
    names = [path.relative_to(inbox).as_posix() for path in files]
    collector, known = Collector(feeds, folder), known or targets(feeds)
    arrived: dict[int, Conforming] = {}

    def work(place: int) -> Conforming:
        return conform(read_file(files[place], feeds, name=names[place], known=known), feeds)

    for place, file in side_by_side(work, [path.lstat().st_size for path in files], WORKERS, BYTES_UNDER_WAY):
        arrived[place] = collector.lay_by(file, str(place))
        del file
        told(len(arrived), len(files), names[place])
    for place in range(len(files)):
        collector.keep(arrived.pop(place))
    return collector.finish()


def _of_part(rows: pl.DataFrame | Path, number: int | None) -> pl.DataFrame:
    """Rows, of memory or of the file in which they wait, with the part that they are of."""
    frame = pl.read_parquet(rows) if isinstance(rows, Path) else rows
    return frame if number is None else frame.with_columns(part=pl.lit(number, pl.Int32))
