"""What the model's weights say, in words: what agrees, how strongly, and how sure it is in all.

The levels are those of the kept model (`data/linkage/persons.json`), the best first; -1 is "not known on one side". A test
holds the two together.
"""

from __future__ import annotations

COMPARED = {
    "name": "姓名",
    "birth": "出生日期",
    "sex": "性别",
    "place": "乡镇、村",
    "phone": "电话",
    "number": "证件号码",
}
NOT_KNOWN = "有一方没有写"
LEVELS: dict[str, tuple[str, ...]] = {
    "name": ("姓名相同", "同音字", "读音相近", "差一个字", "姓名不同"),
    "birth": ("日期相同", "月和日颠倒", "差一位数字", "同年", "日期不同"),
    "sex": ("性别相同", "性别不同"),
    "place": ("同一个村", "同一乡镇", "地方不同"),
    "phone": ("电话相同", "差一位数字", "电话不同"),
    "number": ("只差一位", "前十五位相同", "差两三位", "号码不同"),
}
BANDS = {"sure": "几乎可以确定", "doubtful": "说不准，要看", "unlikely": "不大像"}
STRONG, CLEAR, SOME = 8.0, 3.0, 1.0  # bits: 256, 8 and 2 times


def level(compared: str, found: int) -> str:
    return NOT_KNOWN if found < 0 else LEVELS[compared][found]


def strength(bits: float) -> str:
    """What an agreement or difference says for or against one person."""
    size = abs(bits)
    if size < SOME:
        return "说明不了什么"
    if size < CLEAR:
        return "略支持是同一人" if bits > 0 else "略不支持"
    if size < STRONG:
        return "支持是同一人" if bits > 0 else "不支持"
    return "强烈支持是同一人" if bits > 0 else "强烈不支持"
