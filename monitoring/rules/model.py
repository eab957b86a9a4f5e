"""A rule in memory: its dated versions, and the cases that prove it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from monitoring.parameters import placeholder
from monitoring.rules.expressions import Expression
from monitoring.rules.sentences import Sentence
from monitoring.strict_toml import Bilingual, Span
from monitoring.tables import Column

KINDS = ("gap", "risk", "exit", "process", "data", "policy")
LEVELS = ("red", "orange", "yellow", "blue")
OUTCOMES = ("hit", "clear", "unknown", "disabled")
PRACTICE = "practice"
LEVEL_ZH = {"red": "红", "orange": "橙", "yellow": "黄", "blue": "蓝"}
OUTCOME_ZH = {"hit": "命中", "clear": "未命中", "unknown": "不明", "disabled": "停用"}

Snapshots = Mapping[str, Mapping[str, Column]]


@dataclass(frozen=True)
class Version:
    """What a rule says in one span of days. `needs` are parameters (dotted) that the facts it reads rest on."""

    span: Span
    when: Expression
    level: str
    level_when: tuple[tuple[str, Expression], ...]
    sentences: Mapping[str, Sentence]
    clause: Mapping[str, str]
    also: tuple[str, ...]
    needs: tuple[str, ...]

    @property
    def levels(self) -> tuple[str, ...]:
        """Every level that a signal of this version can have, the worst first."""
        own = {self.level, *(level for level, _ in self.level_when)}
        return tuple(level for level in LEVELS if level in own)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Every parameter that the version names (placeholders), the condition's first."""
        expressions = (self.when, *(expression for _, expression in self.level_when))
        named = [name for expression in expressions for name in expression.parameters]
        told = [name for sentence in self.sentences.values() for name in sentence.parameters]
        return tuple(dict.fromkeys([*named, *map(placeholder, self.needs), *told]))


@dataclass(frozen=True)
class Case:
    """One example that proves the rule: the facts given (the others unknown) and the outcome that must follow."""

    name: str
    given: Mapping[str, Any]
    parameters: Mapping[str, Any]
    pack: str
    as_of: date | None
    expect: str
    level: str


@dataclass(frozen=True)
class Rule:
    """One rule file."""

    code: str
    kind: str
    subject: str
    record: str
    department: str
    title: Bilingual
    versions: tuple[Version, ...]
    cases: tuple[Case, ...]
    file: Path
    text: str = field(repr=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def in_force(self, as_of: date) -> Version | None:
        return next((version for version in self.versions if version.span.holds(as_of)), None)

    @property
    def latest(self) -> Version:
        return max(self.versions, key=lambda version: version.span.first or date.min)
