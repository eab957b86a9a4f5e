"""A rule in shadow: kept beside those that count, judged by every run, and ended by a person: it counts, or it is dropped.

The file lies in HOME/policy/shadow/ (`loading`). A run stores its outcomes in tables of their own (`shadow_rule`,
`shadow_outcome`, `shadow_hit`); no signal, alert, export or figure of the rules that count knows of it.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from monitoring.people.callers import Caller, acting
from monitoring.placing import digest_of, placing
from monitoring.rules.changing import RuleRefused, fit, stated
from monitoring.rules.loading import SHADOW, shadow_files
from monitoring.store import Store


def begin(
    store: Store, caller: Caller, code: str, text: str, reason: str, pack: str, as_of: date, at: datetime
) -> Path:
    """Keeps the file in shadow, in place of an older one of its code; the next run judges it. It has to be fit to count.

    Raises RuleRefused, Denied or SessionOver. `pack` and `as_of` are those of the run that is shown, as in `keep_rule`.
    """
    with placing(store.home) as files, acting(store, caller, "rule.change", at) as act:
        said = stated(reason)
        fit(store.home, code, text, pack, as_of)
        path = _path(store.home, code)
        before = digest_of(path)
        act.journal("rule.shadow", f"rule:{code}", reason=said, before=before, after=files.put(path, text))
        return path


def count(store: Store, caller: Caller, code: str, reason: str, pack: str, as_of: date, at: datetime) -> Path:
    """Ends the shadow: the file becomes the county's own rule and counts from the next run. Checked again, since packs and
    other rules may have changed meanwhile. Raises RuleRefused, Denied or SessionOver."""
    with placing(store.home) as files, acting(store, caller, "rule.change", at) as act:
        said, shadow = stated(reason), _standing(store.home, code)
        text = shadow.read_text(encoding="utf-8")
        fit(store.home, code, text, pack, as_of)
        path = store.home / "policy" / "rules" / shadow.name
        before = digest_of(path)
        act.journal("rule.shadow_counts", f"rule:{code}", reason=said, before=before, after=files.put(path, text))
        files.remove(shadow)
        return path


def drop(store: Store, caller: Caller, code: str, reason: str, at: datetime) -> Path:
    """Ends the shadow: nothing that counts changes; the path of the file that is gone. Raises RuleRefused, Denied or SessionOver."""
    with placing(store.home) as files, acting(store, caller, "rule.change", at) as act:
        said, shadow = stated(reason), _standing(store.home, code)
        act.journal("rule.shadow_dropped", f"rule:{code}", reason=said, before=digest_of(shadow), after="")
        files.remove(shadow)
        return shadow


def _path(home: Path, code: str) -> Path:
    return home / "policy" / SHADOW / f"{code}.toml"


def _standing(home: Path, code: str) -> Path:
    """The file of a rule that is in shadow; found by listing, never by a name put together from what was asked."""
    found = shadow_files(home).get(code)
    if found is None:
        raise RuleRefused(["这条规则现在不在影子运行"])
    return found
