"""The 27 feeds: their canonical headings, how a clean value reads, and simple CSV folders in and out.

Only clean files are read here. The mess of real exports is the pipeline's to handle and has tests of its own.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

RawRow = dict[str, str]
Deliveries = dict[str, dict[str, list[RawRow]]]
Values = dict[str, Any]

#: feed id -> (file name, headings in order; `*` marks those without which a row is unusable)
FEEDS: dict[str, tuple[str, str]] = {
    "registry": (
        "农户基本信息台账",
        """户编号* 与户主关系* 姓名* 证件号码 性别 出生日期 民族 乡镇* 村* 村民小组 户籍类型 联系电话
        住址 劳动能力 健康状况""",
    ),
    "dibao": (
        "最低生活保障对象台账",
        """救助证编号* 户主姓名 户主证件号码 姓名* 证件号码 与户主关系 低保类型 保障方式 类别
        家庭月人均收入 户月保障金额
        享受起始日期* 渐退起始日期 终止日期 最近复核日期 乡镇 村 致贫原因""",
    ),
    "tekun": (
        "特困人员供养台账",
        """姓名* 证件号码 供养方式* 自理能力 是否独居 集中供养意愿 供养机构 照料服务人 居家安全服务
        月基本生活费 月照料护理费
        享受起始日期* 终止日期 乡镇 村""",
    ),
    "low_income": (
        "低收入家庭认定台账",
        "类别* 户主姓名 户主证件号码 姓名* 证件号码 与户主关系 认定日期* 终止日期 乡镇 村",
    ),
    "temporary_aid": (
        "临时救助台账",
        """姓名* 证件号码 救助类型* 困难原因 发现日期 申请日期 受理日期* 审批日期 发放日期 救助金额
        先行救助 补充说明日期 乡镇 村""",
    ),
    "applications": (
        "社会救助申请与核对结果",
        "姓名* 证件号码 申请事项* 申请日期* 核对日期 审批结果 未批准原因 办结日期 乡镇 村",
    ),
    "income": (
        "家庭经济状况核对",
        """户主姓名 户主证件号码* 核对日期* 工资性收入 经营净收入 财产净收入 转移净收入 基础养老金
        必要就业成本 医疗自付支出
        教育支出 残疾康复支出 金融资产""",
    ),
    "monitored": (
        "防止返贫监测与脱贫户信息",
        """户编号* 户类型* 户主姓名 户主证件号码 姓名* 证件号码 与户主关系 识别日期 风险类型
        人均纯收入 工资性收入 生产经营性收入
        财产性收入 转移性收入 合规自付支出 住房是否安全 饮水是否安全 义务教育是否辍学 基本医保参保
        务工月数 帮扶责任人 帮扶措施
        风险是否消除 风险消除日期 最近走访日期 乡镇 村""",
    ),
    "disability": ("持证残疾人", "姓名* 证件号码 残疾证号 残疾类别* 残疾等级* 发证日期 有效期至 状态"),
    "disability_subsidy": ("两项补贴发放", "姓名* 证件号码 补贴类型* 发放年月* 金额 发放状态"),
    "medical": (
        "医疗费用结算",
        "姓名* 证件号码 结算日期* 医疗类别 病种 重大疾病 总费用 基本医保支付 大病保险支付 医疗救助 个人自付",
    ),
    "insurance": ("基本医保参保", "姓名* 证件号码 参保年度* 参保状态* 资助金额"),
    "education": ("在校生与资助", "姓名* 证件号码 学段* 学校 学籍状态* 毕业日期 资助年度 资助项目 资助金额"),
    "social_insurance": (
        "养老保险与就业",
        "姓名* 证件号码 险种* 参保状态* 单位名称 月缴费基数 月养老金 状态日期 失业登记日期",
    ),
    "vehicles": ("车辆登记", "姓名* 证件号码 号牌号码 车辆类型* 登记日期 状态"),
    "real_estate": ("不动产登记", "姓名* 证件号码 不动产权证号 房屋性质* 取得方式 登记日期 面积 坐落 状态"),
    "business": ("市场主体", "姓名* 证件号码 统一社会信用代码 企业名称 角色 成立日期 状态* 注册资本"),
    "deaths": ("死亡登记", "姓名* 证件号码 死亡日期* 登记日期"),
    "disasters": (
        "受灾与救灾",
        """户主姓名* 户主证件号码 灾害类型 受灾日期* 损失金额 住房受损 应急救助结束日期
        过渡期救助结束日期 乡镇 村""",
    ),
    "clues": ("主动发现线索", "线索编号* 来源* 登记日期* 姓名* 证件号码 乡镇 村 诉求内容 办理期限 办结日期 办理结果"),
    "care_groups": ("特殊群体", "姓名* 证件号码 类别* 监护人 津贴金额 起始日期 终止日期 最近走失日期 安置情况 乡镇 村"),
    "visits": ("走访记录", "走访日期* 走访人 户编号 姓名 证件号码 走访方式 走访结果 乡镇 村"),
    "payments": ("资金发放明细", "项目* 发放年月* 姓名* 证件号码 金额 发放状态*"),
    "housing": ("住房安全与饮水", "户编号 户主姓名* 户主证件号码 住房鉴定等级 鉴定日期 改造状态 饮水是否安全"),
    "institutions": ("供养服务机构", "机构名称* 乡镇 床位数 护理型床位 入住人数* 护理员人数*"),
    "officials": ("近亲属享受低保备案", "干部姓名* 干部证件号码 职务 近亲属姓名* 近亲属证件号码 关系 备案日期"),
    "graduates": ("离校未就业毕业生", "姓名* 证件号码 毕业日期* 就业状态* 登记日期"),
}

HEADINGS = {feed: [h.rstrip("*") for h in text.split()] for feed, (_, text) in FEEDS.items()}
REQUIRED = {feed: [h.rstrip("*") for h in text.split() if h.endswith("*")] for feed, (_, text) in FEEDS.items()}
FILE_NAMES = {feed: name for feed, (name, _) in FEEDS.items()}

#: headings that most feeds share and that help to find a person without a usable number
SHARED = ("性别", "出生日期", "联系电话")

_NUMBERS = """
    家庭月人均收入 户月保障金额 月基本生活费 月照料护理费 救助金额 工资性收入 经营净收入 财产净收入
    转移净收入 基础养老金
    必要就业成本 医疗自付支出 教育支出 残疾康复支出 金融资产 人均纯收入 生产经营性收入 财产性收入
    转移性收入 合规自付支出
    务工月数 金额 总费用 基本医保支付 大病保险支付 医疗救助 个人自付 资助金额 月缴费基数 月养老金
    面积 注册资本 损失金额
    津贴金额 床位数 护理型床位 入住人数 护理员人数 参保年度 资助年度
"""
NUMBERS = frozenset(_NUMBERS.split())
BLANK = {"", "-", "/", "无", "null", "\\N"}
NUMBER_HEADINGS = ("证件号码", "户主证件号码", "近亲属证件号码", "干部证件号码")

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def check_character(first17: str) -> str:
    """GB 11643: the character that makes a number of 17 digits complete."""
    return "10X98765432"[sum(int(d) * w for d, w in zip(first17, _WEIGHTS, strict=True)) % 11]


def valid_number(text: str | None) -> str | None:
    """The 18-digit number where the text is a usable one (15 digits are converted), else None."""
    if text is None:
        return None
    number = unicodedata.normalize("NFKC", text).strip().lstrip("'").upper()
    if re.fullmatch(r"\d{15}", number):
        number = number[:6] + "19" + number[6:]
        number += check_character(number)
    if not re.fullmatch(r"\d{17}[\dX]", number) or check_character(number[:17]) != number[17]:
        return None
    try:
        dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    return number


def number_birth(number: str) -> dt.date:
    return dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def number_sex(number: str) -> str:
    return "男" if int(number[16]) % 2 else "女"


def clean_name(name: str) -> str:
    """A name for comparison: no blanks, no difference between the kinds of middle dot."""
    return re.sub(r"[·.•・‧]", "·", re.sub(r"\s", "", unicodedata.normalize("NFKC", name)))


def parse_date(text: str) -> dt.date | None:
    """A day, or a month as its first day."""
    digits = re.fullmatch(r"(\d{4})(\d{2})(\d{2})?", text)
    parts = list(digits.groups()) if digits else re.findall(r"\d+", text.split(" ")[0].split("T")[0])
    try:
        return dt.date(int(parts[0]), int(parts[1]), int(parts[2] or 1) if len(parts) > 2 else 1)
    except (ValueError, IndexError):
        return None


def is_date(heading: str) -> bool:
    return heading.endswith(("日期", "年月")) or heading in ("有效期至", "办理期限")


def parse_value(heading: str, text: str | None) -> Any:
    """One cell as the rules need it: a date, an exact number or a code; None for blank."""
    text = (text or "").strip()
    if text in BLANK and not (heading == "住房受损" and text == "无"):
        return None
    if is_date(heading):
        return parse_date(text)
    if heading in NUMBERS:
        try:
            return Fraction(Decimal(text.replace(",", "").removesuffix("元")))
        except InvalidOperation:
            return None
    if heading == "残疾等级":
        return {"一": 1, "二": 2, "三": 3, "四": 4}.get(text[0]) or int(text[0])
    if heading == "补贴类型":
        return "护理补贴" if "护理" in text else "生活补贴"
    if heading in ("类别", "住房鉴定等级") and text[0] in "ABCD":
        return text[0]
    if heading in NUMBER_HEADINGS:
        return valid_number(text) or text
    return text


@dataclass(eq=False)
class Row:
    """One loaded row. `person` is filled by linkage; `undecided` marks a row that waits in the "
    "review list."""

    feed: str
    period: str
    values: Values
    person: str | None = None
    undecided: bool = False

    def __getitem__(self, heading: str) -> Any:
        return self.values.get(heading)

    def same(self) -> tuple[tuple[str, Any], ...]:
        """All mapped values, for telling a repeated row."""
        return tuple(sorted((k, v) for k, v in self.values.items() if v is not None))


def load(feed: str, period: str, raw: list[RawRow]) -> list[Row]:
    """Parsed rows without repeats; a row that lacks a required value is in quarantine and not here."""
    rows: dict[tuple[tuple[str, Any], ...], Row] = {}
    known = (*HEADINGS[feed], *(h for h in SHARED if h not in HEADINGS[feed]))
    for line in raw:
        row = Row(feed, period, {h: parse_value(h, line.get(h)) for h in known})
        if all(row[h] is not None for h in REQUIRED[feed]):
            rows.setdefault(row.same(), row)
    return list(rows.values())


def recognise(headings: list[str]) -> str:
    """The feed whose headings fit best: all required ones there, then the most known ones."""
    have = set(headings)
    fits = {f: len(have & set(HEADINGS[f])) for f in FEEDS if set(REQUIRED[f]) <= have}
    if not fits:
        raise ValueError(f"no feed has these headings: {headings}")
    return max(fits, key=lambda f: (fits[f], -len(HEADINGS[f])))


def read_csv_folder(path: Path | str) -> dict[str, list[RawRow]]:
    """Every clean CSV of a folder, by feed; files of one feed add up."""
    by_name = {name: feed for feed, name in FILE_NAMES.items()}
    feeds: dict[str, list[RawRow]] = {}
    for file in sorted(Path(path).glob("*.csv")):
        with file.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            headings = list(reader.fieldnames or [])
            feed = by_name.get(file.stem) or recognise(headings)
            feeds.setdefault(feed, []).extend({k: v or "" for k, v in line.items()} for line in reader)
    return feeds


def write_csv(deliveries: Deliveries, folder: Path | str) -> dict[str, Path]:
    """One folder a period, one UTF-8 file with BOM a feed; shared headings are added only where a "
    "row uses them."""
    folders = {}
    for period, feeds in deliveries.items():
        place = Path(folder) / period
        place.mkdir(parents=True, exist_ok=True)
        folders[period] = place
        for feed, rows in feeds.items():
            extra = [h for h in SHARED if h not in HEADINGS[feed] and any(row.get(h) for row in rows)]
            with (place / f"{FILE_NAMES[feed]}.csv").open("w", encoding="utf-8-sig", newline="") as handle:
                writer = csv.DictWriter(handle, HEADINGS[feed] + extra, restval="")
                writer.writeheader()
                writer.writerows({h: row.get(h, "") for h in HEADINGS[feed] + extra} for row in rows)
    return folders
