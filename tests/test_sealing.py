"""Sealed fields: opened only with the same key, for the same purpose, and unaltered."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.store.sealing import SealBroken, keyed_digest, seal, unseal

KEY, OTHER = b"k" * 32, b"o" * 32


@settings(deadline=None)
@given(st.text(), st.text(min_size=1, max_size=20))
def test_what_was_sealed_comes_out_again(text: str, purpose: str) -> None:
    assert unseal(KEY, purpose, seal(KEY, purpose, text)) == text


def test_the_same_text_is_sealed_differently_each_time_and_stands_nowhere_in_it() -> None:
    one, other = seal(KEY, "phone", "13900001234"), seal(KEY, "phone", "13900001234")
    assert one != other and "1234" not in one


@pytest.mark.parametrize(("key", "purpose"), [(OTHER, "phone"), (KEY, "totp")])
def test_another_key_or_purpose_opens_nothing(key: bytes, purpose: str) -> None:
    with pytest.raises(SealBroken):
        unseal(key, purpose, seal(KEY, "phone", "13900001234"))


@settings(deadline=None)
@given(st.integers(min_value=0))
def test_no_altered_character_goes_unnoticed(place: int) -> None:
    sealed = seal(KEY, "phone", "13900001234")
    place = len("v1.") + place % (len(sealed) - len("v1."))
    altered = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
    with pytest.raises(SealBroken):
        unseal(KEY, "phone", altered)


@pytest.mark.parametrize("rubbish", ["", "v1.", "v1.!!!!", "plain text", "v1.AAAA"])
def test_what_was_never_sealed_is_refused_in_words(rubbish: str) -> None:
    with pytest.raises(SealBroken, match="打不开"):
        unseal(KEY, "phone", rubbish)


def test_a_digest_depends_on_text_purpose_and_key() -> None:
    digests = {keyed_digest(k, p, t) for k in (KEY, OTHER) for p in ("caller", "x") for t in ("139", "138")}
    assert len(digests) == 8 and keyed_digest(KEY, "caller", "139") in digests
