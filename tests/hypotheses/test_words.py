"""Words with times: tags, choices, and what lies outside of all clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asrdq.errors import DataError
from asrdq.manifests import ingest_manifest
from asrdq.workspace import Workspace

BETWEEN = "call A 0.1 0.2 before\ncall A 1.1 0.2 one\ncall A 2.1 0.2 gap\ncall A 9 1 after\n"


def clips(*starts: float) -> list[dict[str, Any]]:
    return [
        {
            "utt_id": f"at{at:g}",
            "audio_filepath": "call.wav",
            "text": "",
            "offset": at,
            "duration": 1.0,
        }
        for at in starts
    ]


def test_tags_escapes_and_choices(ingest: Any, load: Any, stored: Any) -> None:
    """The middle of all words of a choice, 0.9 s, tells its clip; its confidence is their mean."""
    lines = [
        "call A 0.1 0.2 THEY;tag1;tag2 1.0",
        "call A 0.3 0.1 A\\;S;;tag 1.0",
        "call A * * <ALT_BEGIN>",
        "call A 0.8 0.05 IT 0.5",
        "call A * * <ALT>",
        "call A 0.85 0.05 AT 0.5",
        "call A 0.9 0.1 ALL 0.5",
        "call A * * <ALT>",
        "call A * * <ALT_END>",
    ]
    load(ingest(clips(0.0)), "r1.ctm", "\n".join(lines))
    assert stored() == {"at0": "THEY A;S { IT / AT ALL / @ }"}
    assert stored(column="confidence") == {"at0": pytest.approx(2.5 / 3)}


def test_trn_may_offer_a_choice(manifest: Any, load: Any, stored: Any) -> None:
    load(manifest, "r1.trn", "red { um / @ } (a)\nwell;tag a\\;s (b)\nplum; (c)\n")
    assert stored() == {"a": "red { um / @ }", "b": "well a;s", "c": "plum;"}


def test_words_between_clips(ingest: Any, load: Any, stored: Any) -> None:
    manifest = ingest(clips(1.0, 3.0))
    with pytest.raises(DataError, match="3 of 4 words have no clip") as caught:
        load(manifest, "r1.ctm", BETWEEN)
    assert "--whole-recordings" in str(caught.value.hint)
    load(manifest, "r1.ctm", BETWEEN, ids="common")
    assert stored() == {"at1": "one", "at3": ""}
    load(manifest, "r1.ctm", BETWEEN, whole_recordings=True)
    assert stored() == {"at1": "before one", "at3": "gap after"}


@pytest.mark.parametrize(
    ("whole", "expected", "extra"),
    [(False, ["one", ""], 3), (True, ["before one", "after"], 0)],
)
def test_words_where_nothing_is_scored(
    workspace: Workspace,
    tmp_path: Path,
    load: Any,
    stored: Any,
    whole: bool,
    expected: list[str],
    extra: int,
) -> None:
    """A segment that STM keeps out of scoring takes the words in it, and those just before it."""
    kept_out = "call A s 2.3 2.5 IGNORE_TIME_SEGMENT_IN_SCORING\n"
    stm = tmp_path / "call.stm"
    stm.write_text(f"call A s 1 2 one\n{kept_out}call A s 3 4 two\n")
    manifest = ingest_manifest(workspace, [stm], "eval", max_reject_share=0.5).manifest
    words = f"{BETWEEN}call A 2.35 0.1 inside\n"
    result = load(manifest, "r1.ctm", words, ids="common", whole_recordings=whole)
    assert sorted(stored().values(), key=expected.index) == expected
    assert result.ids.unscored == (2 if whole else 1)
    assert result.ids.extra == extra
    assert any("words lie in segments that are not to be scored" in note for note in result.notes)


def test_a_choice_without_an_end_voids_its_recording(manifest: Any, load: Any) -> None:
    text = "a 1 0 1 red\nc 1 0 1 x\nb 1 * * <ALT_BEGIN>\nb 1 0 1 x\nb 1 * * <ALT>\n"
    with pytest.raises(DataError, match="1 of 3 clips") as caught:
        load(manifest, "r1.ctm", text)
    assert "r1.ctm:3: bad_line: a choice without <ALT_END>" in str(caught.value)
