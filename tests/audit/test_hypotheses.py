"""What was heard against what is written."""

from __future__ import annotations

import json
from pathlib import Path

import jiwer
import pyarrow as pa
import pytest
from synthetic import HEARD, corpus, judged, trials_of

from asrdq.alignment import build_aligner
from asrdq.audit.hypotheses import hypothesis_reasons, hypothesis_signals, signals_of
from asrdq.audit.reasons import Reason
from asrdq.audit.selection import sampled_clips
from asrdq.audit.tables import HYPOTHESIS_SIGNALS
from asrdq.errors import DataError, UsageError
from asrdq.hypotheses import HYPOTHESES
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.settings import AuditSettings
from asrdq.workspace import ManifestVersion, Workspace

WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "it"]


@pytest.mark.parametrize(
    "heard",
    ["the quick brown fox jumps over it", "quick brown cocks jumps it", "it", "so so so so"],
)
def test_the_rate_is_that_of_jiwer(heard: str) -> None:
    found = signals_of(WORDS, heard.split())
    assert found.cer == pytest.approx(jiwer.cer(" ".join(WORDS), heard))


def test_a_lost_end_shows_at_the_edge() -> None:
    """33 characters; "jumps over it" has 13, of which " over it" are missing."""
    found = signals_of(WORDS, WORDS[:-2])
    assert found.cer == pytest.approx(8 / 33)
    assert found.edge_cer == pytest.approx(8 / 13)
    assert found.length_difference == pytest.approx(8 / 33)


def test_speech_before_the_text_counts_to_the_beginning() -> None:
    """ "and then " has 9 characters, "the quick brown" 15."""
    found = signals_of(WORDS, ["and", "then", *WORDS])
    assert found.edge_cer == pytest.approx(9 / 15)


@pytest.mark.parametrize(("heard", "rate"), [([], 0.0), (["uh"], 1.0)])
def test_an_empty_transcript(heard: list[str], rate: float) -> None:
    assert signals_of([], heard).cer == rate


def test_silence_heard_differs_wholly() -> None:
    assert signals_of(WORDS, []).length_difference == 1.0
    assert signals_of(WORDS, []).edge_cer == 1.0


def test_only_clips_as_they_are_get_these_reasons() -> None:
    trials = trials_of(corpus("x", 40, 5), {"x": 4.0})
    rates = [None, 0.31, 0.3, *[0.0] * 37]
    rows = [
        {"utt_id": f"x-{at:03}", "cer": rate, "edge_cer": rate and 0.0, "length_difference": 0.0}
        for at, rate in enumerate(rates)
    ]
    signals = pa.Table.from_pylist(rows, schema=HYPOTHESIS_SIGNALS)
    found = hypothesis_reasons(signals, trials, AuditSettings())
    assert set(found) == set(HEARD)
    flagged = found[Reason.HYPOTHESIS_DIFFERS]
    assert set(trials.utt_ids[flagged]) == {"x-001"}
    assert set(trials.faults[flagged]) == {"untouched"}
    *_, judgement = judged(trials)
    more = judgement.with_reasons(found)
    changed = more.low_quality & ~judgement.low_quality
    assert set(trials.utt_ids[changed]) <= {"x-001"}
    assert more.low_quality[flagged].all()


@pytest.fixture
def manifest(workspace: Workspace, tmp_path: Path) -> ManifestVersion:
    rows = [
        {"id": f"u{at}", "audio_filepath": f"{at}.wav", "duration": 2.0, "text": "twenty 5 dogs"}
        for at in range(3)
    ]
    path = tmp_path / "m.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = ingest_manifest(workspace, [path], "m").manifest
    draw_sample(workspace, found, SamplingPlan(fraction=1.0))
    return found


def hear(workspace: Workspace, heard: dict[str, str]) -> None:
    rows = [
        {"hyps": "r1", "manifest": "m", "utt_id": utt_id, "hypothesis": text, "run_id": "r"}
        for utt_id, text in heard.items()
    ]
    workspace.append("hypotheses", pa.Table.from_pylist(rows, schema=HYPOTHESES))


def test_texts_are_compared_as_they_are_spoken_and_the_lacking_are_named(
    workspace: Workspace, manifest: ManifestVersion
) -> None:
    hear(workspace, {"u0": "Twenty five dogs.", "u1": ""})
    sample = draw_sample(workspace, manifest, SamplingPlan(fraction=1.0))
    clips = sampled_clips(workspace, manifest, sample, build_aligner("pocketsphinx"))
    table = hypothesis_signals(workspace, manifest, "r1", clips)
    rows = {row["utt_id"]: row for row in table.to_pylist()}
    assert (rows["u0"]["cer"], rows["u0"]["hyps"]) == (0.0, "r1")
    assert (rows["u1"]["cer"], rows["u1"]["hypothesis"]) == (1.0, "")
    assert (rows["u2"]["cer"], rows["u2"]["hypothesis"]) == (None, None)


def test_a_set_that_is_not_there_is_refused(
    workspace: Workspace, manifest: ManifestVersion
) -> None:
    with pytest.raises(UsageError, match="no set of hypotheses 'r2'"):
        hypothesis_signals(workspace, manifest, "r2", [])
    hear(workspace, {"strange": "words"})
    with pytest.raises(DataError):
        hypothesis_signals(workspace, manifest, "r1", [])
