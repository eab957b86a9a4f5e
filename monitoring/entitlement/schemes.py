"""Schemes in memory: what a household may be entitled to, judged by which rules, and what goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitoring.parameters import Pack
from monitoring.policy import REFERENCE
from monitoring.rules.expressions import Expression
from monitoring.rules.sentences import Sentence
from monitoring.strict_toml import Bilingual

SUBJECTS = ("household", "person")
PAYS = ("month", "once", "recognition", "service")  # money a month; money now and then; a status; help in kind
AMOUNTS = ("difference", "ratio", "fixed")
MOVES = (
    "less",
    "more",
    "yes",
    "no",
    "turns",
    "known",
)  # how an input may change; `known`: what to get where it is missing

Sentences = Mapping[str, Sentence]


@dataclass(frozen=True)
class Exclusion:
    """Why somebody does not get a scheme: the condition, the sentence, the clause by document."""

    when: Expression
    because: Sentences
    clause: Mapping[str, str]


@dataclass(frozen=True)
class Paper:
    """One paper that an applicant brings, where `when` holds (always, without one)."""

    what: Bilingual
    when: Expression | None
    clause: Mapping[str, str]


@dataclass(frozen=True)
class Amount:
    """How the amount due is computed. `parameter` is the pack's (for towns `urban`, where it differs); one that the pack
    does not hold leaves the amount unsaid. `by` chooses the parameter by a column's value; `care` adds one so chosen."""

    kind: str
    parameter: str = ""
    urban: str = ""
    by: str = ""
    choices: Mapping[str, str] | None = None
    care_by: str = ""
    care: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Scheme:
    """One scheme. Entitled and missing: (one of `rules` holds, and `provided`), or `entitled` holds.

    `as_if` is the row as it would stand without the benefit: judged by the same rules, it says whether one who receives
    it still qualifies. `unrecorded`: no register says who receives it, so that who is entitled ends in unknown.
    """

    key: str
    order: int
    subject: str
    pays: str
    title: Bilingual
    rules: tuple[str, ...]
    provided: Expression | None
    entitled: Expression | None
    receives: Expression | None
    as_if: Mapping[str, Any]
    now: str
    amount: Amount | None
    note: Bilingual | None
    missing: Sentences
    received: Sentences | None
    unrecorded: Bilingual | None
    clause: Mapping[str, str]
    exclusions: tuple[Exclusion, ...]
    papers: tuple[Paper, ...]


@dataclass(frozen=True)
class Input:
    """One fact of a household or person that can change. `stands_for` is a condition that may be put in its place;
    `words` say the change by its kind (MOVES); a kind without words cannot happen or is nobody's doing."""

    subject: str
    column: str
    stands_for: Expression | None
    weight: int
    words: Mapping[str, Bilingual]


@dataclass(frozen=True)
class Apart:
    """Two schemes that exclude each other, for one person or for a household. `by_rule`: which is better is not a matter
    of money, it goes by rank."""

    schemes: tuple[str, str]
    between: str
    by_rule: bool
    says: Bilingual
    clause: Mapping[str, str]


@dataclass(frozen=True)
class Schemes:
    """Everything that the files say. `rank`: the better first, where amounts do not decide. `fixed`: facts that no change
    is sought in."""

    schemes: tuple[Scheme, ...]
    inputs: Mapping[tuple[str, str], Input]
    fixed: frozenset[str]
    apart: tuple[Apart, ...]
    rank: tuple[str, ...]
    packs: Mapping[str, Pack]

    def pack(self, name: str) -> Pack:
        """The pack of a run; the reference where it has gone since."""
        return self.packs.get(name) or self.packs[REFERENCE]
