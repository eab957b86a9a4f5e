"""Pages hold no SQL and no arithmetic, and only the frame, `ui` and the pages know Streamlit."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "monitoring" / "pages").glob("*.py"))
SQL = re.compile(r"\b(select|insert|update|delete)\b.+\b(from|into|set)\b", re.IGNORECASE | re.DOTALL)
WORKING_OUT = (ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.Sub)


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_only_the_frame_ui_and_pages_import_streamlit() -> None:
    allowed = {ROOT / "app.py", ROOT / "monitoring" / "ui.py", *PAGES}
    files = [ROOT / "app.py", *(ROOT / "monitoring").rglob("*.py"), *(ROOT / "pipelines").rglob("*.py")]
    knowing = {file for file in files if any(name.split(".")[0] == "streamlit" for name in imported(file))}
    assert knowing <= allowed


def test_monitoring_imports_no_pipeline() -> None:
    for file in [ROOT / "app.py", *(ROOT / "monitoring").rglob("*.py")]:
        assert not any(name.split(".")[0] == "pipelines" for name in imported(file)), file


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_holds_no_sql_and_no_arithmetic(page: Path) -> None:
    tree = ast.parse(page.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not SQL.search(node.value), node.value
        assert not (isinstance(node, ast.BinOp) and isinstance(node.op, WORKING_OUT)), ast.unparse(node)
    assert not {"duckdb", "monitoring.warehouse"} & imported(page)


@pytest.mark.parametrize("query", sorted((ROOT / "monitoring" / "queries").glob("*.py")), ids=lambda path: path.stem)
def test_every_question_about_places_takes_a_scope(query: Path) -> None:
    """A public query without a scope is about the run itself: its files, its rules, its periods."""
    about_the_run = {
        "county", "townships", "villages", "previous_period", "parameters_in_force", "conditions", "rule_condition", "balances", "freshness",
        "feeds", "quarantine_totals", "rules", "audited", "figures", "has", "model", "months", "in_force", "told", "rule_file", "in_shadow",
        "ready", "asked_of", "outside", "totals", "scored",
        "month_shown",
        "place_of",  # for services, which decide by the place
    }  # fmt: skip
    for node in ast.parse(query.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            arguments = [argument.arg for argument in node.args.args]
            if arguments[:1] == ["warehouse"]:
                assert arguments[1:2] == ["scope"] or node.name in about_the_run, node.name
