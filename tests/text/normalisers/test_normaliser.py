"""A normaliser by itself: its steps, its hash, what it is refused for."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest

from asrdq.text.normalisers import Normaliser, normaliser, normaliser_names
from asrdq.text.normalisers.characters import settle
from asrdq.text.normalisers.sources import source_of

PROBES = (
    "Dr. O’Neil gave 2.5mg – twice! ½ of 1,000µg, 120/80 (b.i.d.) 37.5°C; COVID-19 <unk>",
    "ÉTÉ Straße İstanbul ΣΊΣΥΦΟΣ ﬁ Ａ１ ²",
    "שָׁלוֹם־עוֹלָם צה\"ל ג'ירפה. 'טוב'",
    "it's  a\tTEST-case\u200b \u00adwith\x00all_sorts: 50% $3 two hundred minus five",
)


@pytest.mark.parametrize(
    ("name", "version", "results"),
    [
        ("none", "1", "cd98b4846a875bad"),
        ("basic", "1", "d88466f12df3a567"),
        ("whisper-en", "1", "70fe8d637784d653"),
        ("whisper-basic", "1", "cda48a4f8454e47a"),
        ("clinical-strict", "1", "78ea507f652878d4"),
        ("clinical", "1", "94c4d0ea535f64cc"),
        ("hebrew", "1", "2e7c8a5a88cefce1"),
    ],
)
def test_a_version_stands_for_one_result(name: str, version: str, results: str) -> None:
    """Whoever changes a result has to raise the version, and to write the new digest here."""
    chosen = normaliser(name)
    told = "\n".join(map(chosen, PROBES))
    assert (chosen.version, hashlib.sha256(told.encode()).hexdigest()[:16]) == (version, results)


def test_each_step_is_told_with_the_text_after_it() -> None:
    assert normaliser("clinical-strict").explain("É,  \ud8002.5") == [
        ("replace surrogates", "É,  \ufffd2.5"),
        ("decompose", "E\u0301,  \ufffd2.5"),
        ("lower case", "e\u0301,  \ufffd2.5"),
        ("delete punctuation", "e  25"),
        ("collapse spaces", "e 25"),
    ]


def shout(text: str) -> str:
    return text.upper()


def test_the_hash_is_over_all_that_decides(tmp_path: Path) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("a\tb\n")
    plain = Normaliser("x", "1", (shout,))
    others = [
        Normaliser("y", "1", (shout,)),
        Normaliser("x", "2", (shout,)),
        Normaliser("x", "1", (shout, str.strip)),
        Normaliser("x", "1", (shout,), data=(table,)),
    ]
    hashes = [plain.hash, *(each.hash for each in others)]
    table.write_text("a\tc\n")
    hashes.append(Normaliser("x", "1", (shout,), data=(table,)).hash)
    assert len(set(hashes)) == 6
    assert all(len(each) == 12 and int(each, 16) >= 0 for each in hashes)
    assert Normaliser("x", "1", (shout,)).hash == plain.hash


def test_the_hashes_of_the_shipped_ones_differ() -> None:
    hashes = {normaliser(name).hash for name in normaliser_names()}
    assert len(hashes) == len(normaliser_names())


def test_source_is_code_without_remarks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "first_sample.py").write_text('"""Doc."""\nX = 1  # one\ndef f():\n    "Says."\n')
    (tmp_path / "second_sample.py").write_text("X = 1\n\n\ndef f():\n    pass\n")
    (tmp_path / "third_sample.py").write_text("X = 2\n\n\ndef f():\n    pass\n")
    first, second, third = map(source_of, ("first_sample", "second_sample", "third_sample"))
    assert first == second != third
    assert source_of("builtins") == "builtins"


def test_an_extension_is_told_by_its_bytes() -> None:
    import pyarrow.lib as extension

    content = Path(extension.__file__).read_bytes()
    assert source_of("pyarrow.lib") == hashlib.sha256(content).hexdigest()


def test_a_normaliser_goes_to_another_process() -> None:
    chosen = normaliser("clinical")
    there = pickle.loads(pickle.dumps(chosen))
    assert (there.hash, there("25mg")) == (chosen.hash, "25 mg")


def test_settling() -> None:
    assert settle(lambda text: text[:3], "abcdef") == "abc"
    circle = {"start": "c", "c": "a", "a": "b", "b": "c"}
    assert {settle(circle.__getitem__, text) for text in circle} == {"a"}
    assert settle(lambda text: text + "x", "", rounds=5) == "xxxxx"
