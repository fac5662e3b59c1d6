"""A sealed document gives back what was sealed, or says that it was altered."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.seal import SEAL, sealed, unsealed

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
documents = st.dictionaries(
    st.text().filter(lambda key: key != SEAL),
    st.recursive(st.none() | st.booleans() | numbers | st.text(), lambda inner: st.lists(inner, max_size=3)),
)


@given(documents)
def test_what_was_sealed_comes_back(document):
    assert unsealed(sealed(document)) == document


def test_every_flipped_bit_is_noticed_or_changes_nothing():
    document = {"session_id": "one", "talked": True, "exertion": 6.5, "intervals": [{"start_s": 0.0, "end_s": 85.5}]}
    whole = sealed(document)
    noticed = 0
    for bit in range(8 * len(whole)):
        altered = bytearray(whole)
        altered[bit // 8] ^= 1 << bit % 8
        try:
            found = unsealed(bytes(altered))
        except ValueError:
            noticed += 1
        else:
            assert {key: found[key] for key in document} == document
            assert len(found) <= len(document) + 1  # a name that was the seal's
    assert noticed > 1000


@pytest.mark.parametrize("content", [{}, {"exertion": 3}, [1, 2], "a word", None])
def test_what_nobody_sealed_is_taken_as_it_is(content):
    assert unsealed(json.dumps(content).encode()) == content


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b'{"crc32": "00000000", "exertion": 3}', b'{"crc32": null}'])
def test_what_is_no_document_or_has_another_seal_is_refused(text):
    with pytest.raises(ValueError, match=r"altered|line|utf-8"):
        unsealed(text)
