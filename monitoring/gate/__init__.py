"""The gate in front of everything: nothing is served without a session, and what is served says who asked.

    gate = Gate(open_store, clock, security, assets, frame, guarded)
    app  = st.App(script, middleware=gate.middleware, routes=gate.routes, lifespan=gate.lifespan)

`middleware` decides what passes, `routes` are its own pages, `forms` how they look, `passing` tells the page's script who is
there, `counting` keeps denials from filling the disk, `checking` refuses to start where an option is dangerous.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path

from starlette.middleware import Middleware

from monitoring.gate.checking import Unsafe, is_gated, wrong_options
from monitoring.gate.house import House, opened_store
from monitoring.gate.middleware import Frame, Guard
from monitoring.gate.passing import caller_of, form_token
from monitoring.gate.routes import Guarded, Posted, Routes
from monitoring.people.settings import Security
from monitoring.store import Store

__all__ = [
    "Frame",
    "Gate",
    "Guarded",
    "Posted",
    "Unsafe",
    "caller_of",
    "form_token",
    "is_gated",
    "opened_store",
    "wrong_options",
]


class Gate:
    """The gate of one process. `frame` judges what browsers send over a socket; `assets` holds style, icon and script."""

    def __init__(
        self,
        open_store: Callable[[], Store],
        clock: Callable[[], datetime],
        security: Security,
        assets: Path,
        frame: Callable[[bytes], Frame],
        guarded: Sequence[Guarded | Posted] = (),
    ) -> None:
        self.house = House(open_store, clock, security)
        self.middleware = [Middleware(Guard, house=self.house, frame=frame)]
        self.routes = Routes(self.house, assets, guarded).routes

    @contextlib.asynccontextmanager
    async def lifespan(self, _: object = None) -> AsyncIterator[None]:
        """Opens the store (a failure ends the start) and sweeps until the server stops."""
        _ = self.house.store
        sweeper = asyncio.create_task(self.house.sweep_for_ever())
        try:
            yield
        finally:
            sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeper
            await self.house.end()
