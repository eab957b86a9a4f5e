"""A rule is changed by an analyst: the file in HOME/policy/rules, through the same strict check as `buluo rules check`.

What is kept counts from the next run. Nothing is written before the county's whole policy, with the new file in it, has been
read, tried and proved by its cases; all complaints are told at once.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from monitoring.language import Words
from monitoring.people.callers import Caller, acting
from monitoring.placing import digest_of, placing
from monitoring.policy import SHIPPED
from monitoring.rules.compiling import compile_rules
from monitoring.rules.listing import check_lines
from monitoring.rules.loading import SHADOW, load_policy
from monitoring.store import Store
from monitoring.strict_toml import PolicyError

CODE = re.compile(r"[A-Z]{2,6}(-[A-Z0-9]{1,12}){1,4}")
SHORTEST_REASON, LONGEST_REASON, LONGEST_FILE = 4, 200, 40_000
_VERSION = re.compile(r"^\s*\[\[\s*version\s*\]\]", re.MULTILINE)
_WHEN = re.compile(
    r'^(\s*when\s*=\s*)("""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\')', re.MULTILINE
)


class RuleRefused(ValueError):
    """The change was refused and nothing written; `words` are all complaints."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        super().__init__("\n".join(words))


def with_condition(text: str, when: str, as_of: date) -> str:
    """The rule file's text with another condition in the version that holds on the day; everything else stays to the letter.
    Raises RuleRefused where the file is not written in a way that this can be done safely."""
    if '"""' in when or "\\" in when:
        raise RuleRefused(["条件里不能有反斜线和三个引号"])
    before = tomllib.loads(text)
    place = next((n for n, v in enumerate(before.get("version", [])) if _holds(v, as_of)), None)
    starts = [found.start() for found in _VERSION.finditer(text)]
    if place is None or place >= len(starts):
        raise RuleRefused(["这条规则在本期没有生效的版本，请直接改整个文件"])
    found = _WHEN.search(text, starts[place])
    if found is None:
        raise RuleRefused(["找不到这个版本的 when，请直接改整个文件"])
    changed = f'{text[: found.start(2)]}"""\n{when.strip()}\n"""{text[found.end(2) :]}'
    after = tomllib.loads(changed)
    after["version"][place]["when"] = before["version"][place]["when"]
    if after != before:
        raise RuleRefused(["条件换不进去，请直接改整个文件"])
    return changed


def _holds(version: dict[str, object], as_of: date) -> bool:
    first, last = version.get("from"), version.get("until")
    return not (isinstance(first, date) and first > as_of) and not (isinstance(last, date) and last < as_of)


def complaints_of(home: Path, code: str, text: str | None, pack: str, as_of: date) -> Sequence[str]:
    """Everything that `buluo rules check` would say of the county's policy with this file in it (None: without the county's
    own file of this code); empty where all is well."""
    wrong = []
    if not CODE.fullmatch(code):
        wrong.append(Words("规则代码“{code}”不合规；如 GAP-DIBAO", code=code))
    if text is not None and (len(text) > LONGEST_FILE or "\0" in text):
        wrong.append(Words("文件过长（最多 {longest} 字）或含有控制字符", longest=LONGEST_FILE))
    if wrong:
        return wrong
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder)
        if (home / "policy").is_dir():
            shutil.copytree(home / "policy", trial / "policy")
        changed = trial / "policy" / "rules" / f"{code}.toml"
        changed.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            changed.unlink(missing_ok=True)
        else:
            (trial / "policy" / SHADOW / f"{code}.toml").unlink(missing_ok=True)  # the new text stands in its place
            changed.write_text(text, encoding="utf-8")
        fine, lines = check_lines(trial)
        if not fine:
            return lines
        packs, rules = load_policy(trial)
        try:
            if pack in packs:
                compile_rules(rules, packs[pack].in_force(as_of), as_of)
        except PolicyError as error:
            return [complaint.words for complaint in error.complaints]
    return []


def keep_rule(
    store: Store, caller: Caller, code: str, text: str, reason: str, pack: str, as_of: date, at: datetime
) -> Path:
    """Writes the county's own file of a rule; it counts from the next run. Raises RuleRefused, Denied or SessionOver.

    `pack` and `as_of` are those of the run that is shown: the next one must be able to use the rule.
    """
    with placing(store.home) as files, acting(store, caller, "rule.change", at) as act:
        said = stated(reason)
        fit(store.home, code, text, pack, as_of)
        path = store.home / "policy" / "rules" / f"{code}.toml"
        before = digest_of(path) or digest_of(SHIPPED / "rules" / f"{code}.toml")
        act.journal("rule.change", f"rule:{code}", reason=said, before=before, after=files.put(path, text))
        return path


def take_back(store: Store, caller: Caller, code: str, reason: str, pack: str, as_of: date, at: datetime) -> Path:
    """Takes the county's own file of a rule back: from the next run the shipped rule of its code counts again, or none.

    The file is put aside under HOME/policy/taken_back, where nothing reads it; its new path. Raises RuleRefused, Denied or
    SessionOver.
    """
    with placing(store.home) as files, acting(store, caller, "rule.change", at) as act:
        said = stated(reason)
        path = {file.stem: file for file in (store.home / "policy" / "rules").glob("*.toml")}.get(code)
        if path is None:
            raise RuleRefused(["本县没有自己的这条规则，没有可撤回的"])
        wrong = complaints_of(store.home, code, None, pack, as_of)
        if wrong:
            raise RuleRefused(wrong)
        before = digest_of(path)
        aside = store.home / "policy" / "taken_back" / f"{code}-{before[:12]}.toml"
        act.journal(
            "rule.taken_back", f"rule:{code}", reason=said, before=before,
            after=digest_of(SHIPPED / "rules" / path.name),
        )  # fmt: skip
        files.move(path, aside)
        return aside


def stated(reason: str) -> str:
    """The reason as the journal keeps it. Raises RuleRefused where it says too little, or too much."""
    said = " ".join(reason.split())
    if not SHORTEST_REASON <= len(said) <= LONGEST_REASON:
        raise RuleRefused([
            Words("请写明为什么改（{shortest} 至 {longest} 字），会记入操作日志", shortest=SHORTEST_REASON, longest=LONGEST_REASON)
        ])  # fmt: skip
    return said


def fit(home: Path, code: str, text: str, pack: str, as_of: date) -> None:
    """Raises RuleRefused with everything that speaks against the file."""
    wrong = complaints_of(home, code, text, pack, as_of)
    if wrong:
        raise RuleRefused(wrong)
