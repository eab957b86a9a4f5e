"""What design and security ask of the code's shape: directions of imports, banned calls, nothing of anybody's machine."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from monitoring.feeds import load_feeds
from monitoring.policy import load_packs

ROOT = Path(__file__).resolve().parent.parent
STEPS = ("reading", "conform", "link", "snapshot", "assess", "forecast")
# What puts the steps together; no step knows it.
TOGETHER = (
    "run", "cli", "demo", "demo_months", "demo_training", "office", "modelling", "reporting", "simulating", "linking", "listing", "telling",
)  # fmt: skip
MAY_USE_STREAMLIT = ("app.py", "monitoring/ui", "monitoring/pages/")
BANNED_MODULES = {"sqlite3", "pickle", "cPickle", "joblib", "marshal", "shelve", "dill"}
BANNED_NAMES = {
    "download_button": "exports go by an own route that checks who asks",
    "unsafe_allow_html": "text from files must not become markup",
    "unsafe_allow_javascript": "text from files must not become script",
    "map_elements": "values are computed by expressions, not row by row",
    "iterrows": "values are computed by expressions, not row by row",
    "itertuples": "values are computed by expressions, not row by row",
    "eval": "rules are parsed against an allow-list",
    "exec": "rules are parsed against an allow-list",
}
CLOCK = {("date", "today"), ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("time", "time")}
SQL = re.compile(r"\bselect\b[\s\S]+\bfrom\b|\binsert\s+into\b|\bcreate\s+(?:temp\s+)?(?:table|view)\b", re.IGNORECASE)
ARITHMETIC = (ast.Div, ast.FloorDiv, ast.Mult, ast.Sub, ast.Pow)
# Written in pieces, so that this file does not name what it forbids.
NOT_OURS = (
    "/wor" + "k/",
    ".librar" + "y/",
    "pypi" + ".org",
    "python" + "hosted",
    "npm" + "js.",
    "deb.debian" + ".org",
    "/opt/" + "pypi",
)


@functools.cache
def tracked() -> list[Path]:
    """Files that are in the repository or would be added to it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@functools.cache
def every_module() -> dict[str, ast.Module]:
    """All modules, parsed once for all tests; none of them changes a tree."""
    files = [path for path in tracked() if path.suffix == ".py"]
    named = {path.relative_to(ROOT).as_posix(): path for path in files}
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in sorted(named.items())}


def modules(*folders: str) -> dict[str, ast.Module]:
    return {name: tree for name, tree in every_module().items() if name.startswith(folders)}


def imports(name: str, tree: ast.Module) -> Iterator[str]:
    """Dotted names that a module imports, anywhere in it; relative ones made absolute."""
    package = name.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def top(dotted: str, depth: int = 1) -> str:
    return ".".join(dotted.split(".")[:depth])


def test_monitoring_never_imports_pipelines() -> None:
    found = [
        (name, i) for name, tree in modules("monitoring/").items() for i in imports(name, tree) if top(i) == "pipelines"
    ]
    assert found == []


def test_a_step_imports_no_other_step() -> None:
    wrong = []
    for name, tree in modules("pipelines/").items():
        own = name.split("/")[1].removesuffix(".py")
        barred = {f"pipelines.{other}" for other in (*STEPS, *TOGETHER) if other != own}
        if own not in TOGETHER:
            wrong += [(name, i) for i in imports(name, tree) if top(i, 2) in barred]
    assert wrong == []


def test_only_the_frame_and_the_pages_import_streamlit() -> None:
    users = {name for name, tree in modules("").items() for i in imports(name, tree) if top(i) == "streamlit"}
    assert {name for name in users if not name.startswith((*MAY_USE_STREAMLIT, "tests/", "benchmarks/"))} == set()


def test_pages_hold_no_sql_and_no_arithmetic() -> None:
    wrong = []
    for name, tree in modules("monitoring/pages/", "app.py").items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
                wrong.append((name, node.lineno, "SQL"))
            of_paths = isinstance(node, ast.BinOp) and isinstance(getattr(node.right, "value", None), str)
            if isinstance(node, ast.BinOp) and isinstance(node.op, ARITHMETIC) and not of_paths:
                wrong.append((name, node.lineno, "arithmetic"))
        wrong += [(name, 0, i) for i in imports(name, tree) if top(i) == "duckdb"]
    assert wrong == []


def test_nothing_banned_is_imported_or_called() -> None:
    wrong = []
    for name, tree in modules("app.py", "monitoring/", "pipelines/", "benchmarks/").items():
        wrong += [(name, i) for i in imports(name, tree) if top(i) in BANNED_MODULES]
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            plain = (
                called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
            )
            keyword = node.arg if isinstance(node, ast.keyword) else ""
            method_of_a_query = plain in ("eval", "exec") and isinstance(called, ast.Attribute)
            wrong += [(name, word) for word in (plain, keyword) if word in BANNED_NAMES and not method_of_a_query]
            if isinstance(node, ast.keyword) and node.arg == "shell" and getattr(node.value, "value", False):
                wrong.append((name, "shell=True"))
    assert wrong == []


def test_nothing_below_the_command_line_asks_the_clock() -> None:
    wrong = []
    for name, tree in modules("monitoring/", "pipelines/").items():
        if name.startswith("pipelines/cli"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                of = node.func.value
                owner = of.id if isinstance(of, ast.Name) else of.attr if isinstance(of, ast.Attribute) else ""
                if (owner, node.func.attr) in CLOCK:
                    wrong.append((name, node.lineno, f"{owner}.{node.func.attr}"))
    assert wrong == []


def test_every_module_says_what_it_is() -> None:
    trees = modules("app.py", "monitoring/", "pipelines/", "benchmarks/", "tests/")
    assert [name for name, tree in trees.items() if tree.body and not ast.get_docstring(tree)] == []


def test_no_file_names_this_machine_or_a_registry() -> None:
    wrong = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        wrong += [(path.relative_to(ROOT).as_posix(), word) for word in NOT_OURS if word in text]
    assert wrong == []


def test_every_library_imported_is_declared() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {re.split(r"[<>=!~ ;\[]", one)[0].lower().replace("_", "-") for one in declared}
    trees = modules("app.py", "monitoring/", "pipelines/")
    used = {top(i) for name, tree in trees.items() for i in imports(name, tree)} - {"monitoring", "pipelines"}
    provided = packages_distributions()
    foreign = {module for module in used if module not in sys.stdlib_module_names}
    assert {m for m in foreign if not {d.lower().replace("_", "-") for d in provided.get(m, [])} & names} == set()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_locks_are_exact_and_hashed(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "--index-url" not in text and "--find-links" not in text and "://" not in text
    blocks = [block for block in re.split(r"\n(?=\S)", text) if block and not block.startswith("#")]
    assert blocks and all(re.match(r"[a-z0-9._-]+==\S+", block) and "--hash=sha256:" in block for block in blocks)


def test_every_path_target_and_picture_named_in_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    paths = re.findall(
        r"`((?:app\.py|Makefile|CHANGELOG\.md|(?:monitoring|pipelines|tests|benchmarks|data|docs|\.ci)/[\w./-]*))`",
        readme,
    )
    paths += re.findall(r"\]\((?!https?:)([^)#]+)\)", readme)
    made_at_run_time = ("data/local",)
    assert (
        paths and [path for path in paths if not path.startswith(made_at_run_time) and not (ROOT / path).exists()] == []
    )
    targets = set(re.findall(r"\bmake ([a-z]+)", readme))
    assert {target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()


def test_the_examples_of_the_readme_load(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n# HOME/(\S+)\n(.*?)```", readme, re.DOTALL)
    for path, text in examples:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    amount = load_feeds(tmp_path / "feeds")["dibao"].std_columns()["household_amount"]
    assert len(examples) == 2 and "本月实发保障金" in amount.aliases
    pack = load_packs(tmp_path)["ourcounty-2026"]
    assert [pack.in_force(date(2026, month, 1)).number("dibao.standard_rural") for month in (3, 4)] == [585, 632]


def test_every_command_of_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = set(re.findall(r"\bbuluo ([a-z]+)", readme))
    shown = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "--help"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert (
        told
        and {command for command in told if not re.search(rf"^\s+{command}\b", shown.stdout, re.MULTILINE)} == set()
    )


def test_every_step_and_reading_module_stands_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [step for step in (*STEPS, *TOGETHER, "identity", "sample") if f"`pipelines/{step}" not in readme] == []


def test_keys_of_elements_are_not_made_of_hashes_that_change_from_process_to_process():
    files = [ROOT / "app.py", ROOT / "monitoring" / "ui.py", *sorted((ROOT / "monitoring" / "pages").glob("*.py"))]
    calls = [
        f"{path.name}:{node.lineno}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "hash"
    ]
    assert not calls
