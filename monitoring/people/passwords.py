"""Passwords: kept as Argon2id, judged by a policy, checked at most two at a time so that guessing cannot eat the machine.

Two policies, since the standards contradict each other (GB/T 22239 8.1.4.1 a, ASVS 6.2.5 and 6.2.10): "mlps" (等保) asks for
three of four kinds of characters and a new one every 90 days, "asvs" for length only and no rotation. Both refuse what many
people use, what is made of the person's own names, and the last five.
"""

from __future__ import annotations

import re
import secrets
import string
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from monitoring.people.settings import Security

COMMON = Path(__file__).parents[2] / "data" / "codes" / "common_passwords.txt"
LONGEST = 256  # what is hashed is bounded: a password of a megabyte is an attack
REMEMBERED = 5
ROTATION = timedelta(days=90)
_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_AT_ONCE = BoundedSemaphore(2)
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that are taken for each other: l and 1, o and 0
_KINDS = (str.islower, str.isupper, str.isdigit)
_SHIFTED = str.maketrans("!@#$%^&*()", "1234567890")
_LEET = (str.maketrans("01345$7@!8", "oieassta1b"), str.maketrans("01345$7@!8", "oleasstalb"))
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", string.ascii_lowercase, "0123456789",
         "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p")  # fmt: skip


def hash_password(password: str) -> str:
    """Argon2id, with the parameters of RFC 9106 for little memory (64 MiB)."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def fits(stored: str | None, password: str) -> bool:
    """Whether the password is the one stored; takes as long where there is none (unknown names, OIDC only)."""
    with _AT_ONCE:
        try:
            return _HASHER.verify(stored or _dummy(), password[:LONGEST]) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


def outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


@cache
def _dummy() -> str:
    return _HASHER.hash(secrets.token_hex(16))


def one_time() -> str:
    """A random first password, easy to read out: it must be changed at the first log-in."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


@dataclass(frozen=True)
class Owner:
    """Whose password it is to be: its own names are no password, nor are the hashes of those before."""

    name: str
    person: str
    before: Sequence[str] = ()


def complaints(security: Security, password: str, owner: Owner) -> list[str]:
    """What is wrong with a new password, in words; empty where it may be used."""
    shortest = 8 if security.policy == "mlps" else 12
    wrong = []
    if len(password) < shortest:
        wrong.append(f"密码至少 {shortest} 位")
    if len(password) > LONGEST:
        wrong.append(f"密码最多 {LONGEST} 位")
    if security.policy == "mlps" and _kinds(password) < 3:
        wrong.append("密码须含大写字母、小写字母、数字、符号中的三种")
    if _holds_a_name(password, (owner.name, owner.person)):
        wrong.append("密码不能含有账号或姓名")
    elif common(password, security.password_words):
        wrong.append("这个密码太常见，容易被猜到；请换一个与单位、姓名、键盘顺序无关的")
    if not wrong and any(fits(stored, password) for stored in owner.before[:REMEMBERED]):
        wrong.append(f"不能用最近 {REMEMBERED} 次用过的密码")
    return wrong


def _kinds(password: str) -> int:
    other = any(not (c.islower() or c.isupper() or c.isdigit()) for c in password)
    return sum(any(kind(c) for c in password) for kind in _KINDS) + other


def _holds_a_name(password: str, names: Iterable[str]) -> bool:
    plain = unicodedata.normalize("NFKC", password).casefold()
    return any(len(name) >= 2 and name.casefold() in plain for name in names)


def common(password: str, words: Sequence[str] = ()) -> bool:
    """Whether many would hit on it: hardly any different characters, or what is left without common words, rows of keys
    and digits is next to nothing."""
    plain = unicodedata.normalize("NFKC", password).casefold()
    if len(set(plain)) <= 4:
        return True
    return any(_next_to_nothing(spelt, words) for spelt in _spellings(plain))


def _spellings(plain: str) -> list[str]:
    """As typed, with signs as the digits of their keys, and with digits and signs that stand for letters, without the
    digits and signs at its ends."""
    inner = plain.strip(string.digits + string.punctuation)
    return [plain, plain.translate(_SHIFTED), *(inner.translate(leet) for leet in _LEET)]


def _next_to_nothing(text: str, words: Sequence[str]) -> bool:
    known = _common_words(tuple(words))
    if re.sub(r"[^a-z]", "", text) in known.short:
        return True
    left = _without_rows(known.long.sub("\0", re.sub(r"\W|_", "", text)))
    return ("\0" in left and sum(c.isalpha() for c in left) < 4) or not left.strip(string.digits + "\0")


def _without_rows(text: str) -> str:
    """The text with runs of three and more neighbours on the keyboard or in the alphabet, either way, taken out."""
    kept, at = [], 0
    while at < len(text):
        length = _row_length(text, at)
        kept.append("\0" if length >= 3 else text[at])
        at += length if length >= 3 else 1
    return "".join(kept)


def _row_length(text: str, at: int) -> int:
    longest = 1
    for row in _ROWS:
        for way in (row, row[::-1]):
            length = 1
            while at + length < len(text) and text[at : at + length + 1] in way:
                length += 1
            longest = max(longest, length)
    same = len(text[at:]) - len(text[at:].lstrip(text[at]))
    return max(longest, same)


@dataclass(frozen=True)
class _Known:
    """Common words: short ones count where they are all the letters there are, long ones anywhere."""

    short: frozenset[str]
    long: re.Pattern[str]


@cache
def _common_words(own: tuple[str, ...]) -> _Known:
    lines = [line for line in COMMON.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    words = {word for line in lines for word in line.split()} | {word.casefold() for word in own}
    long = sorted((word for word in words if len(word) >= 4), key=lambda word: (-len(word), word))
    return _Known(frozenset(words - set(long)), re.compile("|".join(map(re.escape, long))))
