"""The balances of the sample, for `buluo audit`: drawn by its seed, in its order, from households that nothing flagged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, select

from monitoring.checks import Check
from monitoring.misses.drawing import LATER, seed_of
from monitoring.misses.results import DRAWN, FINAL
from monitoring.store import Store
from monitoring.store.schema import audit_draw, audit_sample, audit_visit
from monitoring.warehouse import Warehouse

_FLAGGED = "select distinct household_id from signal where household_id in (select unnest($ids))"


def check_samples(store: Store, warehouse: Warehouse) -> list[Check]:
    """Both; none where nothing was ever drawn."""
    run = warehouse.row("select run_id, period from run")
    with store.read() as con:
        draws = con.execute(select(audit_draw.c.id, audit_draw.c.period, audit_draw.c.run_id, audit_draw.c.seed)).all()
        if not draws:
            return []
        wrong = [
            one.period
            for one in draws
            if one.seed != seed_of(store.key, one.period) or not _in_order(con, one.id, one.seed)
        ]
        unseen = [key for one in draws if one.run_id == run["run_id"] for key in _unanswered(con, one.id)]
    flagged = warehouse.rows(_FLAGGED, {"ids": unseen})
    return [
        _check("sample_seed", len(draws), wrong, "各期抽查都由本库密钥和期次决定", "Every draw is that of its period and this home's key"),
        _check("sample_unflagged", len(unseen), ["?"] * len(flagged), "本期抽中待走访的户都没有信号", "No household drawn and not yet answered for has a signal"),
    ]  # fmt: skip


def _in_order(con: Connection, draw_id: int, seed: str) -> bool:
    """Whether in every township and group the households of one run of the period stand in the order of their digests."""
    columns = (audit_sample.c.township, audit_sample.c.band, audit_sample.c.place, audit_sample.c.household_id)
    rows = con.execute(select(*columns).where(audit_sample.c.draw_id == draw_id, audit_sample.c.state == DRAWN)).all()
    by_stratum: dict[tuple[str | None, int, int], list[tuple[int, str]]] = {}
    for township, band, place, household in rows:
        key = hashlib.sha256(f"{seed} {household}".encode()).hexdigest()
        by_stratum.setdefault((township, band, place // LATER), []).append((place, key))
    return all([key for _, key in sorted(found)] == sorted(key for _, key in found) for found in by_stratum.values())


def _unanswered(con: Connection, draw_id: int) -> list[str]:
    answered = select(audit_visit.c.sample_id).where(audit_visit.c.result.in_(FINAL))
    asked = select(audit_sample.c.household_id).where(
        audit_sample.c.draw_id == draw_id, audit_sample.c.state == DRAWN, audit_sample.c.id.not_in(answered)
    )
    return list(con.execute(asked).scalars())


def _check(name: str, total: int, wrong: Sequence[str], zh: str, en: str) -> Check:
    right = total - len(wrong)
    if not wrong:
        return Check(name, True, total, right, f"{zh}：{total:,} = {right:,}", f"{en}: {total:,} = {right:,}")
    return Check(name, False, total, right, f"{zh}：{len(wrong):,} 项不符", f"{en}: {len(wrong):,} differ")
