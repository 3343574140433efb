"""A reference is never taken for a hypothesis."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asrdq.errors import UsageError
from asrdq.workspace import ManifestVersion

TEXTS = {"a": "red apple", "b": "green pear", "c": "blue plum"}


def rows(**fields: str) -> str:
    return "".join(json.dumps({"id": each, **fields}) + "\n" for each in TEXTS)


@pytest.mark.parametrize(
    "others",
    [
        {"pred_text": "heard", "text": "ref", "transcription": "ref"},
        {"hypothesis": "heard", "text": "ref"},
        {"prediction": "heard", "transcription": "ref", "sentence": "ref"},
        {"transcription": "heard", "sentence": "ref"},
        {"text": "heard"},
    ],
)
def test_the_hypothesis_is_found(
    manifest: ManifestVersion, load: Any, stored: Any, others: dict[str, str]
) -> None:
    result = load(manifest, "r1.jsonl", rows(**others))
    assert set(stored().values()) == {"heard"}
    doubtful = not {"pred_text", "hypothesis", "prediction"} & set(others)
    assert any("those of the column" in note for note in result.notes) == doubtful


def test_two_doubtful_columns_are_refused(
    manifest: ManifestVersion, load: Any, stored: Any
) -> None:
    content = rows(text="one of them", transcription="the other")
    with pytest.raises(UsageError, match="not clear whether transcription or text"):
        load(manifest, "r1.jsonl", content)
    load(manifest, "r1.jsonl", content, columns={"hypothesis": "transcription"})
    assert set(stored().values()) == {"the other"}


def test_a_manifest_given_as_hypotheses_is_remarked_on(
    manifest: ManifestVersion, load: Any
) -> None:
    content = "".join(json.dumps({"id": k, "text": v}) + "\n" for k, v in TEXTS.items())
    notes = load(manifest, "r1.jsonl", content).notes
    assert "each of them is its reference, sign by sign: is 'text' the reference?" in notes
    other = content.replace("plum", "plums")
    assert not any("sign by sign" in note for note in load(manifest, "r1.jsonl", other).notes)


def test_a_clear_name_that_comes_late_is_refused(
    manifest: ManifestVersion, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asrdq.manifests.formats.lines.BLOCK_BYTES", 64)
    monkeypatch.setattr("asrdq.manifests.formats.lines.split_lines.__defaults__", (64,))
    early = '{"id": "a", "text": "a reference, read as a hypothesis at first"}\n'
    late = '{"id": "b", "text": "ref", "pred_text": "heard"}\n'
    with pytest.raises(UsageError, match="hypotheses in 'text' and later ones in 'pred_text'"):
        load(manifest, "r1.jsonl", early * 3 + late)


def test_no_column_of_hypotheses(manifest: ManifestVersion, load: Any) -> None:
    with pytest.raises(UsageError, match="no column of it is known to hold hypotheses") as caught:
        load(manifest, "r1.jsonl", rows(asr_out="heard"))
    assert "id, asr_out" in str(caught.value)


def test_columns_that_are_named(manifest: ManifestVersion, load: Any, stored: Any) -> None:
    content = '{"key": "a", "asr_out": "x", "pred_text": "y", "p": 0.5}\n'
    named = {"hypothesis": "asr_out", "utt_id": "key", "confidence": "p"}
    load(manifest, "r1.jsonl", content, columns=named, ids="common")
    assert stored() == {"a": "x"}
    assert stored(column="confidence") == {"a": 0.5}
    with pytest.raises(UsageError, match="asr_outt"):
        load(manifest, "r1.jsonl", content, columns={**named, "hypothesis": "asr_outt"})
    with pytest.raises(UsageError, match="did you mean 'hypothesis'"):
        load(manifest, "r1.jsonl", content, columns={"hypotesis": "asr_out"})


def test_nothing_says_whose_it_is(manifest: ManifestVersion, load: Any) -> None:
    with pytest.raises(UsageError, match="which clip a hypothesis belongs to"):
        load(manifest, "r1.jsonl", '{"pred_text": "heard"}\n')
