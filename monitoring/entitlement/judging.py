"""One household's rows, judged: status, reasons, amounts and the smallest change of every scheme and person.

Two statements (the household, its living persons) answer all conditions; what is missing from a row ends in unknown,
never in excluded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from monitoring.access import Scope
from monitoring.entitlement import facts
from monitoring.entitlement.amounts import difference, family_year, rate
from monitoring.entitlement.binding import Bound, BoundScheme
from monitoring.entitlement.changes import Change, Search, Wanted, say_change, say_missing, say_wanted
from monitoring.entitlement.logic import parse, valued
from monitoring.entitlement.model import EXCLUDED, MISSING, RECEIVES, UNKNOWN
from monitoring.entitlement.schemes import Amount
from monitoring.entitlement.words import LANGUAGES, after, filled, joined, said
from monitoring.queries.conditions import in_words
from monitoring.queries.income import Income
from monitoring.rules import clause_for
from monitoring.strict_toml import Bilingual
from monitoring.warehouse import Warehouse

SHOWN_NAME = "name as shown"  # no column of a table has this name
NOT_IN_PACK = Bilingual("标准不在政策包内", "the pack holds no amount")


@dataclass(eq=False)
class Judged:
    """One scheme for one subject. The amounts and the choice may still be changed by what else is due (`stacking`)."""

    bound: BoundScheme
    row: Mapping[str, Any]
    person_id: int | None
    name: str | None
    status: str
    why: Bilingual
    clause: str
    change: Change | Wanted | None = None
    says: Bilingual | None = None  # the change in words
    missing_inputs: tuple[Bilingual, ...] = ()
    now: Decimal | None = None
    due: Decimal | None = None
    note: Bilingual | None = None
    choice: Bilingual | None = None
    yields: bool = False
    gives_up: Decimal = field(default=Decimal(0))

    @property
    def key(self) -> str:
        return self.bound.scheme.key


def read_rows(
    warehouse: Warehouse, scope: Scope, bound: Bound, household_key: int | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The household's row and its living persons' with every condition's answer (without a key: the whole county's)."""
    one = household_key is not None
    where = scope.limit()
    params = {**where.params, **({"key": household_key} if one else {})}
    answers = {subject: _answers(bound.of(subject)) for subject in ("household", "person")}
    homes = warehouse.rows(f"select *{answers['household']} from {facts.households(one)} {where.where}", params)
    shown = f'{scope.name("name")} as "{SHOWN_NAME}"'
    people = warehouse.rows(f"select *, {shown}{answers['person']} from {facts.persons(one)} {where.where}", params)
    return homes, people


def _answers(schemes: Sequence[BoundScheme]) -> str:
    """Each rule once, however many schemes name it, and what the schemes ask beside."""
    asked = {rule.code: rule.sql for one in schemes for rule in one.rules}
    for one in schemes:
        asked |= {f"{one.scheme.key} {name}": sql for name, sql in one.asked.items()}
    return "".join(f', ({sql}) as "{name}"' for name, sql in asked.items())


class Judge:
    """Judges one household's rows; the subject's own columns win over the household's of the same name."""

    def __init__(
        self, bound: Bound, home: Mapping[str, Any], people: Sequence[Mapping[str, Any]], assessed: Income | None
    ):
        self.bound, self.home, self.people = bound, home, people
        self.search = Search(bound.schemes)
        self.year = family_year(assessed, home)

    def all(self) -> list[Judged]:
        found = []
        for one in self.bound.bound:
            if one.scheme.subject == "household":
                found.append(self._judge(one, self.home, None, None))
            else:
                found += [
                    self._judge(one, {**self.home, **person}, person["person_id"], person[SHOWN_NAME])
                    for person in self.people
                ]
        return found

    def _judge(self, one: BoundScheme, row: Mapping[str, Any], person: int | None, name: str | None) -> Judged:
        due = one.due(row)
        status = RECEIVES if row.get(f"{one.scheme.key} receives") else EXCLUDED
        if due is not False:
            status = UNKNOWN if due is None or one.scheme.unrecorded is not None else MISSING
        found = Judged(one, row, person, name, status, Bilingual("", ""), self.clause(one.scheme.clause))
        {MISSING: self._missing, RECEIVES: self._receives, UNKNOWN: self._unknown, EXCLUDED: self._excluded}[status](
            found
        )
        self._amounts(found)
        return found

    def clause(self, clause: Mapping[str, str]) -> str:
        return clause_for(clause, self.bound.pack)

    def _missing(self, found: Judged) -> None:
        one, row = found.bound, found.row
        found.why = filled(one.scheme.missing, row, self.bound.parameters)
        hit = [rule.clause for rule in one.rules if row[rule.code]]
        found.clause = "；".join(dict.fromkeys(hit)) or found.clause
        self._nearest(found, row, Bilingual("{change}，即不再符合", "If {change}, it would not be due any more"))

    def _receives(self, found: Judged) -> None:
        """What is received, and whether it would be due if it were not received yet."""
        one, row = found.bound, found.row
        told = (
            filled(one.scheme.received, row, self.bound.parameters)
            if one.scheme.received
            else Bilingual("已享受。", "Received.")
        )
        found.why = told
        if not one.scheme.as_if:
            return
        as_if = {**row, **one.scheme.as_if}
        still = one.question.answer(as_if)
        if still is None:
            wanted = self.search.wanted(one.question, as_if)
            found.change, found.says = wanted, say_wanted(self.search, one.question, one.scheme.subject, wanted)
            things = joined(say_missing(self.search, one.question, one.scheme.subject, wanted.columns), "、", ", ")
            found.why = after(
                told,
                said(
                    Bilingual(
                        "是否仍符合不明：缺{things}。", "Whether it is still due is unknown for want of {things}."
                    ),
                    things=things,
                ),
            )
            return
        if still:
            found.why = after(told, Bilingual("按现有数据仍符合。", "By the data it is still due."))
            self._nearest(
                found,
                as_if,
                Bilingual(
                    "{change}，即不再符合（须先核实，不自动停发）",
                    "If {change}, it would not be due any more (a check comes first; nothing stops by itself)",
                ),
            )
            return
        reasons = self._reasons(one, as_if)
        found.why = after(
            told,
            said(Bilingual("按现有数据不再符合：{reasons}；请核实，核实前不停发。", "By the data it is not due any more: {reasons}. Please check; nothing is stopped before that."), reasons=joined([text for text, _ in reasons])),
        )  # fmt: skip
        self._nearest(found, as_if, Bilingual("{change}，即重新符合", "If {change}, it would be due again"))

    def _unknown(self, found: Judged) -> None:
        one, row = found.bound, found.row
        if one.not_judged:
            codes = "、".join(one.not_judged)
            found.why = Bilingual(
                f"这一期没有按规则 {codes} 判断（政策包停用或当时没有），不能下结论。",
                f"This run did not judge by {codes}; nothing can be said.",
            )
            found.missing_inputs = (Bilingual(f"规则 {codes} 的判断", f"the judgement of {codes}"),)
            return
        if one.scheme.unrecorded is not None and one.due(row):
            found.missing_inputs = (one.scheme.unrecorded,)
            found.why = after(
                filled(one.scheme.missing, row, self.bound.parameters),
                said(Bilingual("是否已经得到不明：缺{what}。", "Whether it was given is unknown for want of {what}."), what=one.scheme.unrecorded),
            )  # fmt: skip
            return
        wanted = self.search.wanted(one.question, row)
        found.missing_inputs = say_missing(self.search, one.question, one.scheme.subject, wanted.columns)
        found.why = said(
            Bilingual("缺{things}，不能判断。", "Cannot be judged for want of {things}."),
            things=joined(found.missing_inputs, "、", ", "),
        )
        found.change, found.says = wanted, say_wanted(self.search, one.question, one.scheme.subject, wanted)

    def _excluded(self, found: Judged) -> None:
        one, row = found.bound, found.row
        reasons = self._reasons(one, row)
        found.why = said(Bilingual("{reasons}。", "{reasons}."), reasons=joined([text for text, _ in reasons]))
        found.clause = "；".join(dict.fromkeys(clause for _, clause in reasons))
        self._nearest(found, row, Bilingual("{change}，即符合", "If {change}, it would be due"))

    def _nearest(self, found: Judged, row: Mapping[str, Any], sentence: Bilingual) -> None:
        one = found.bound
        change = self.search.nearest(one.question, one.scheme.subject, row)
        if change is not None:
            found.change = change
            found.says = said(sentence, change=say_change(self.search, one.question, one.scheme.subject, row, change))

    def _reasons(self, one: BoundScheme, row: Mapping[str, Any]) -> list[tuple[Bilingual, str]]:
        """The scheme's own exclusions that hold; where a county's rule asks more than they tell, the parts that fail."""
        told = [
            (filled(e.exclusion.because, row, self.bound.parameters), self.clause(e.exclusion.clause))
            for e in one.exclusions
            if e.holds(row)
        ]
        return told or self._failed_parts(one, row)

    def _failed_parts(self, one: BoundScheme, row: Mapping[str, Any]) -> list[tuple[Bilingual, str]]:
        known = dict(self.bound.parameters)
        parts = [(part, rule.clause) for rule in one.rules if rule.condition for part in rule.condition.parts]
        failed = [(part, clause) for part, clause in parts if valued(parse(part.sql))(row) is False]
        subject = one.scheme.subject
        said_in = {
            code: [in_words(part.tree, subject, known, t, code == "en") for part, _ in failed]
            for code, t in LANGUAGES.items()
        }
        return [
            (Bilingual(f"不符合“{zh}”", f"not so: {en}"), clause)
            for zh, en, (_, clause) in zip(said_in["zh"], said_in["en"], failed, strict=True)
        ]  # fmt: skip

    # --- amounts

    def _amounts(self, found: Judged) -> None:
        scheme, row = found.bound.scheme, found.row
        if found.status == RECEIVES and scheme.now:
            found.now = row.get(scheme.now)
        if found.status not in (RECEIVES, MISSING):
            return
        if scheme.amount is None:
            found.note = scheme.note or (NOT_IN_PACK if scheme.pays == "month" else None)
        elif scheme.amount.kind == "difference":
            found.due = self.top_up(self.covered)
            if found.status == RECEIVES and row["gradual_exit_started"] and not row["gradual_exit_over"]:
                found.due = None  # what a household is paid in its gradual exit is not worked out by the difference
        else:
            self._by_rate(found, scheme.amount)

    def _by_rate(self, found: Judged, amount: Amount) -> None:
        found.due, care = rate(amount, found.row, self.bound.parameters)
        if amount.kind == "ratio" and found.due is not None:
            paid = found.row.get("tekun_care_amount") if found.status == RECEIVES else None
            beside = care if care is not None else paid
            found.due += beside or Decimal(0)
            found.note = None if care is not None or paid is not None else found.bound.scheme.note
        elif found.due is None:
            found.note = found.bound.scheme.note or NOT_IN_PACK

    @property
    def covered(self) -> int:
        """Living members whom dibao covers: those on tekun are supported otherwise."""
        return int(self.home["size"]) - int(self.home["tekun_members"])

    def top_up(self, persons: int) -> Decimal | None:
        """Dibao of so many members by the difference method; None where income is unknown."""
        return None if self.year is None else difference(Decimal(self.home["standard"]), persons, self.year)
