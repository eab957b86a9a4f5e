"""The commands around the case store, as an operator types them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from monitoring.store import journal, open_store
from pipelines import demo_months, office
from pipelines.cli import main
from tests.stores import NOON


def buluo(*words: str | Path) -> int:
    return main([str(word) for word in words])


@pytest.fixture
def home(published_home: Path, tmp_path: Path) -> Path:
    """A published home of one's own, without a case store."""
    copied = tmp_path / "home"
    shutil.copytree(
        published_home, copied, ignore=shutil.ignore_patterns("cases.sqlite*", "secrets", "anchors", "settings.toml")
    )
    return copied


def test_an_account_is_added_listed_and_disabled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        buluo(
            "users",
            "add",
            "Zhang.san",
            "--person",
            "张三",
            "--role",
            "township_staff",
            "--place",
            "青石镇",
            "--home",
            tmp_path,
        )
        == 0
    )
    assert "一次性密码" in capsys.readouterr().out
    assert buluo("users", "list", "--home", tmp_path) == 0
    listed = capsys.readouterr().out
    assert "zhang.san" in listed and "乡镇工作人员" in listed and "青石镇" in listed and "在用" in listed
    assert buluo("users", "reset", "zhang.san", "--home", tmp_path) == 0  # the operator needs nobody's approval
    assert re.search(r"一次性密码（下次登录须修改）：[a-z0-9-]{19}$", capsys.readouterr().out.strip())
    buluo("users", "list", "--home", tmp_path)
    assert "在用" in capsys.readouterr().out
    assert buluo("users", "disable", "zhang.san", "--home", tmp_path) == 0
    capsys.readouterr()
    buluo("users", "list", "--home", tmp_path)
    assert "停用" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "zhang", "--person", "张三", "--role", "village_staff"), "村"),
        (("add", "zhang", "--person", "张三"), "请写明角色"),
        (("disable", "nobody"), "nobody"),
        (("reset",), "请写明账号"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert buluo("users", *words, "--home", tmp_path) == 2
    assert said in capsys.readouterr().err


def test_alerts_are_made_up_for_and_the_audit_says_so_before(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert buluo("audit", "--home", home) == 1
    assert "预警还没有从最近一次运行更新" in capsys.readouterr().out
    office.before_serving(home, NOON)
    assert buluo("audit", "--home", home) == 0
    assert "本期信号数 = 各预警内信号数之和" in capsys.readouterr().out


def test_a_digest_without_addresses_is_shown_and_names_nobody(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    office.before_serving(home, NOON)
    assert buluo("digest", "--home", home) == 0
    said = capsys.readouterr().out
    assert "新增" in said and "没有配置发送地址" in said and "500999" not in said


def test_a_backup_comes_back_whole_in_an_empty_home_with_the_same_key(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office.before_serving(home, NOON)
    assert buluo("backup", tmp_path / "b.zip", "--home", home) == 0
    other = tmp_path / "other"
    shutil.copytree(home / "secrets", other / "secrets")
    assert buluo("restore", tmp_path / "b.zip", "--home", other) == 0
    assert "衔接完好" in capsys.readouterr().out
    assert buluo("restore", tmp_path / "b.zip", "--home", other) == 2
    assert buluo("restore", home / "nothing.zip", "--home", tmp_path / "third") == 2


def test_the_demo_settings_do_not_replace_a_homes_own(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[security]\nlevel = 3\n", encoding="utf-8")
    demo_months.write_settings(tmp_path)
    assert "level = 3" in (tmp_path / "settings.toml").read_text(encoding="utf-8")


def test_opening_the_store_of_a_home_closes_it_again(tmp_path: Path) -> None:
    with office.opened(tmp_path) as store:
        assert store.sqlite
    assert open_store(tmp_path).sqlite


def test_a_server_with_settings_that_cannot_be_read_is_refused_in_words(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "settings.toml").write_text("[security]\nlevel = 2\n", encoding="utf-8")
    with office.opened(home) as store:
        demo_months.log_ins(store, home, NOON, Console())
    (home / "settings.toml").write_text("[security]\nlevel = 4\n", encoding="utf-8")
    assert buluo("serve", "--home", home) == 2
    assert "level" in capsys.readouterr().err


def test_settings_are_listed_changed_and_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert buluo("settings", "alerts.false_alarm_days", "30", "--home", tmp_path) == 0
    capsys.readouterr()
    assert buluo("settings", "--home", tmp_path) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "alerts.false_alarm_days" in line)
    assert line.split()[1:3] == ["30", "90"]
    for name, value in (
        ("alerts.nothing", "1"),
        ("alerts.false_alarm_days", "-1"),
        ("alerts.visits_per_week", "many"),
        ("alerts.full_support_shows_risk", ""),
    ):
        assert buluo("settings", name, value, "--home", tmp_path) == 2
    assert "应为" in capsys.readouterr().err
    with office.opened(tmp_path) as store:
        assert journal.problems(store) == []
