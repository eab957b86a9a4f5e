"""Files of very different sizes, several under way at once on few cores.

A large file keeps every core busy for most of its time (Polars fills them by itself), small ones hold up one Python thread
each: beside each other they fill what the other leaves idle. So one worker takes the smallest files, the others the largest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")


def side_by_side(
    work: Callable[[int], T], sizes: Sequence[int], workers: int, most_bytes: int
) -> Iterator[tuple[int, T]]:
    """The place in `sizes` and `work(place)` of every file, as they end. Files of together more than `most_bytes` are under way
    only where one alone is larger. Raises what `work` raises, once the files under way have ended."""
    waiting = sorted(range(len(sizes)), key=lambda place: (sizes[place], place))
    under_way: dict[Future[T], int] = {}
    small: int | None = None  # the place of the file that was begun from below
    with ThreadPoolExecutor(workers) as pool:
        while waiting or under_way:
            while waiting and len(under_way) < workers:
                room = most_bytes - sum(sizes[place] for place in under_way.values())
                if under_way and sizes[waiting[0]] > room:
                    break
                from_below = bool(under_way) and small not in under_way.values()
                place = waiting.pop(0 if from_below else _largest(waiting, sizes, room))
                under_way[pool.submit(work, place)] = place
                small = place if from_below else small
            done = list(wait(under_way, return_when=FIRST_COMPLETED).done)
            while done:  # nothing here holds on to a file that has been handed over: it may be large
                place = under_way.pop(done[-1])
                yield place, done.pop().result()


def _largest(waiting: Sequence[int], sizes: Sequence[int], room: int) -> int:
    """Where the largest file stands that fits into the room; the largest of all where none does."""
    fitting = [at for at, place in enumerate(waiting) if sizes[place] <= room]
    return fitting[-1] if fitting else len(waiting) - 1
