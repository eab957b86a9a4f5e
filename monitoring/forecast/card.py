"""The model card as Markdown: purpose, data, label, figures beside the baselines, subgroups, drift, limits, digests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monitoring.forecast.features import BY_NAME, GROUPS

# As monitoring.model.candidates calls them; said here again, since pages should not load scikit-learn for it.
CANDIDATE_ZH = {
    "logistic": "逻辑回归（样条）", "additive_boosting": "可加梯度提升", "shallow_boosting": "浅层梯度提升", "plain_boosting": "梯度提升（默认设置）",
    "blend": "逻辑回归与浅层梯度提升各半",
}  # fmt: skip
BASELINES = {
    "prevalence": "只用平均发生率", "income": "只按收入排序", "rules": "按命中规则数排序", "last_label": "按上一期的结果", "best_column": "最好的单项",
}  # fmt: skip
LIMITS = (
    "只估计“今后六个月会不会进入救助或监测名单、得到临时救助、或入户确认困难”，不估计贫困本身：从没有人来申请、也从没有人上门的户，在数据里看起来和不困难的户一样。",
    "没有收入核对的户，收入是“不明”，模型把“不明”当作一种情况，不当作没有困难，也不当作有困难。",
    "乡镇、民族、户主性别不是特征，只用来检查名单是否公平；特征里与它们相关的内容仍可能带来差别，见下表。",
    "得分只用来排走访的先后和补充规则没有发现的户；不停发、不认定，也不取消任何规则的信号。",
    "低保标准或规则变动以后，过去的规律可能不再成立：分布变化超过界限时应重新训练。",
)


def card(manifest: Mapping[str, Any]) -> str:
    """The whole card; a model that may not be used says why and what is done instead."""
    closed = manifest["closed"]
    lines = [
        f"# 模型卡：{manifest['id']}", "",
        f"- 用途：估计目前没有享受救助的户在今后 {manifest['horizon']} 个月内陷入困难的可能，用来排走访先后；得分高的户由人上门核实。",
        f"- 训练日期：{manifest['on']}；用到 {manifest['until']} 为止已发布的结果。",
        f"- 数据：{_spell(closed)}，每 {manifest['step']} 期取一期；每一期只用当期结果文件里的内容。",
        f"- 标签：在其后 {manifest['horizon']} 期内有成员进入低保、特困、低收入家庭或监测名单，得到临时救助{'，或入户走访确认困难' if door_of(manifest)['counts'] else ''}，记 1；标签窗口没有满的期不用。",
        *_without_the_door(manifest),
        f"- 过去陷入困难：{manifest['entries']:,} 户；走访反馈：{_visits(manifest['visits'])}。",
        f"- 数据摘要（SHA-256）：`{manifest['data_sha256']}`", f"- 程序摘要（SHA-256）：`{manifest['code_sha256']}`", f"- 随机种子：{manifest['seed']}", "",
    ]  # fmt: skip
    report = manifest["report"]
    if report is None:
        return "\n".join([*lines, f"**{manifest['why']}。**", ""])
    lines += (
        _figures(report)
        + _groups(report["groups"])
        + _drift(manifest["drift"], manifest["limits"]["drift"])
        + _weights(manifest["weights"])
    )
    return "\n".join([*lines, "## 局限", "", *(f"- {limit}" for limit in LIMITS), ""])


def door_of(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Models that were kept before this stood in the manifest counted the door in every window."""
    told: Mapping[str, Any] = manifest.get("door", {"counts": True, "since": ""})
    return told


def _without_the_door(manifest: Mapping[str, Any]) -> list[str]:
    """Why cases confirmed at the door are not among the labels, where they are not."""
    door = door_of(manifest)
    if door["counts"]:
        return []
    if door["since"] is None:
        return ["- 入户走访确认困难：还没有走访记录，标签里没有这一项。"]
    return [
        f"- 入户走访确认困难：走访从 {door['since']} 起才有记录，更早的期没有。标签在各期须是同一个意思，所以这一项暂不计入；"
        f"标签窗口全在此后、每 {manifest['step']} 期取一期的满 {door['needs']} 期以后自动计入，更早的期届时不再使用。"
    ]


def _figures(report: Mapping[str, Any]) -> list[str]:
    split, low = report["split"], report["intervals"]
    chosen = report["candidates"][report["chosen"]]
    names = {**CANDIDATE_ZH, **BASELINES}
    rows = []
    for name, told in {**report["candidates"], **report["baselines"]}.items():
        at = {one["share"]: one for one in told["at"]}
        rows.append([
            f"{'**' if name == report['chosen'] else ''}{names.get(name, name)}{'**' if name == report['chosen'] else ''}", _n(told["pr_auc"]), _n(told["roc_auc"]), _p(at[0.05]["precision"]), _p(at[0.1]["precision"]), _p(at[0.1]["recall"]), _n(told.get("ece")),
        ])  # fmt: skip
    lines = [
        "## 检验", "",
        f"{split['how']}。训练 {split['train_rows']:,} 行（陷入困难 {split['train_positives']:,} 行），检验 {split['test_rows']:,} 行（{split['test_positives']:,} 行）。",
        f"采用：{names[report['chosen']]}（{report['why']}）。", "",
        *_table(("候选与基线", "PR-AUC", "ROC-AUC", "前5%查准", "前10%查准", "前10%查全", "校准误差"), rows), "",
        f"95% 区间（按户重抽）：PR-AUC {_i(low['pr_auc'])}，前10%查准 {_i(low['precision'])}，查全 {_i(low['recall'])}。", "",
        "首次进入与再次进入：" + "；".join(f"{words} {_entry(report['entries'][key])}" for key, words in (("first", "首次"), ("again", "再次"))) + "。", "",
        "校准（十等分，估计与实际）：", "",
        *_table(("估计", "实际", "行"), [[_p(b["predicted"]), _p(b["seen"]), f"{b['rows']:,}"] for b in chosen["bins"]]), "",
    ]  # fmt: skip
    return [*lines, *(f"- 注意：{words}" for words in report["warnings"]), ""]


def _entry(told: Mapping[str, Any]) -> str:
    if "roc_auc" not in told:
        return f"{told['positives']} 户，太少，不能单独检验"
    return f"{told['positives']} 行，ROC-AUC {_n(told['roc_auc'])}，PR-AUC {_n(told['pr_auc'])}"


def _groups(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        [GROUPS[g["column"]][0], str(g["group"]), f"{g['rows']:,}", f"{g['positives']:,}", f"{_p(g['recall'])} {_i(g['recall_interval'])}",
         f"{_p(g['precision'])} {_i(g['precision_interval'])}", "照顾不足" if g["served_worse"] else ""]
        for g in groups
    ]  # fmt: skip
    return ["## 各类人群", "", *_table(("分组", "类别", "行", "陷入困难", "查全", "查准", ""), rows), ""]


def _drift(drift: Mapping[str, Mapping[str, float]], limit: float) -> list[str]:
    rows = []
    for period, told in sorted(drift.items()):
        worst = sorted((n for n in told if n != "score"), key=lambda n: -told[n])[:3]
        rows.append([period, _n(told["score"]), "、".join(f"{BY_NAME[n].zh} {told[n]:.2f}" for n in worst)])
    return [
        "## 分布变化", "", f"稳定性指数（PSI），超过 {limit:g} 为明显变化。", "", *_table(("期", "得分", "变化最大的特征"), rows), "",
    ]  # fmt: skip


def _weights(weights: Sequence[Sequence[Any]]) -> list[str]:
    rows = [[BY_NAME[name].zh, f"{size:.2f}"] for name, size in weights[:15]]
    return ["## 起作用最大的特征", "", *_table(("特征", "平均作用（对数几率）"), rows), ""]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}", *(f"| {' | '.join(row)} |" for row in rows)]


def _visits(visits: Mapping[str, int]) -> str:
    words = {"confirmed": "确认困难", "not_so": "没有困难", "unclear": "仍不清楚"}
    told = [f"{words[name]} {visits[name]} 次" for name in words if visits.get(name)]
    return "，".join(told) or "还没有走访记录"


def _spell(closed: Sequence[str]) -> str:
    return f"{closed[0]} 至 {closed[-1]} 共 {len(closed)} 期" if closed else "没有标签已满的期"


def _n(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _p(value: float | None) -> str:
    return "不明" if value is None else f"{100 * value:.1f}%"


def _i(pair: Sequence[float | None]) -> str:
    return "" if None in pair else f"[{100 * float(pair[0] or 0):.1f}%, {100 * float(pair[1] or 0):.1f}%]"
