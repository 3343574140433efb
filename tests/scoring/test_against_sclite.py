"""Errors of each utterance beside NIST's sclite, on its own test inputs and on real recognisers.

sclite takes the alignment of least cost, 4 for a substitution and 3 for a deletion or insertion; we
take, as jiwer does, one with the least errors. So sclite never has fewer errors, and S, D and I
of an utterance may differ where both have as many.
"""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pytest

from asrdq.hypotheses import load_hypotheses
from asrdq.hypotheses.columns import CHANNEL
from asrdq.hypotheses.formats.ctm import MIDDLE, WORD, CtmHypotheses
from asrdq.manifests import ingest_manifest
from asrdq.scoring import ScorePlan, score_hypotheses
from asrdq.scoring.choices import normalised
from asrdq.scoring.edits import Edit, find_edits
from asrdq.scoring.tokens import tokenise
from asrdq.text.normalisers import normaliser
from asrdq.workspace import Workspace

Counts = tuple[int, int, int, int]

_ID = re.compile(r"id: \((.*)\)")
_SCORES = re.compile(r"Scores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)")
_SUM = re.compile(r"\| Sum +\| +\d+ +\d+ +\| +(\d+) +(\d+) +(\d+) +(\d+) ")


def transcripts(path: Path, encoding: str) -> dict[str, str]:
    """Return texts by id."""
    found = {}
    for line in path.read_text(encoding).splitlines():
        words, _, key = line.strip().rpartition("(")
        if key:
            found[key.rstrip(")").lower()] = words
    return found


def alignments(path: Path, encoding: str) -> dict[str, Counts]:
    """Return hits, substitutions, deletions and insertions by id from sclite's report."""
    found: dict[str, Counts] = {}
    key = ""
    for line in path.read_text(encoding).splitlines():
        if match := _ID.match(line):
            key = match[1].lower()
        elif match := _SCORES.match(line):
            hits, replaced, left_out, put_in = map(int, match.groups())
            found[key] = hits, replaced, left_out, put_in
    return found


def compared(
    reference: Path, hypothesis: Path, report: Path, encoding: str = "utf-8"
) -> dict[str, tuple[Counts, Counts]]:
    """Return our counts and sclite's for each utterance."""
    references = transcripts(reference, encoding)
    hypotheses = transcripts(hypothesis, encoding)
    theirs = alignments(report, encoding)
    keys = [key for key in references if key in hypotheses]
    texts = (pa.array([side[key] for key in keys]) for side in (references, hypotheses))
    return dict(zip(keys, zip(counted(*texts), map(theirs.get, keys), strict=True), strict=True))


def counted(references: pa.Array, hypotheses: pa.Array) -> list[Counts]:
    """Return our counts of each utterance, each choice of words made."""
    pairs = tokenise(*normalised(references, hypotheses, normaliser("sclite")))
    edits = find_edits(pairs.references, pairs.hypotheses)
    replaced, left_out, put_in = (edits.count(kind, len(references)) for kind in Edit)
    hits = pairs.references.lengths - replaced - left_out
    return list(
        zip(hits.tolist(), replaced.tolist(), left_out.tolist(), put_in.tolist(), strict=True)
    )


def total(report: Path) -> Counts:
    """Return hits, substitutions, deletions and insertions from sclite's raw summary."""
    match = _SUM.search(report.read_text("utf-8"))
    assert match
    hits, replaced, left_out, put_in = map(int, match.groups())
    return hits, replaced, left_out, put_in


def errors(counts: Counts) -> int:
    return sum(counts[1:])


def cost(counts: Counts) -> int:
    return 4 * counts[1] + 3 * (counts[2] + counts[3])


@pytest.mark.parametrize(
    ("reference", "hypothesis", "report", "encoding", "utterances", "other_splits"),
    [
        ("csrnab.ref", "csrnab.hyp", "test1.pra", "latin-1", 51, ["4t0c0207"]),
        ("test.turkish.ref", "test.turkish.hyp", "test15_c.pra", "utf-8", 3, []),
        ("test.ukranian.ref", "test.ukranian.hyp", "test15_d.pra", "utf-8", 6, []),
        ("test.vietnamese.ref.trn", "test.vietnamese.hyp.trn", "test17.pra", "utf-8", 8, []),
    ],
)
def test_nist_s_own_inputs(
    shared_data: Path,
    reference: str,
    hypothesis: str,
    report: str,
    encoding: str,
    utterances: int,
    other_splits: list[str],
) -> None:
    folder = shared_data / "sctk"
    found = compared(folder / reference, folder / hypothesis, folder / "base" / report, encoding)
    assert len(found) == utterances
    differ = {key: pair for key, pair in found.items() if pair[0] != pair[1]}
    assert all(errors(ours) == errors(theirs) for ours, theirs in differ.values())
    assert all(cost(ours) > cost(theirs) for ours, theirs in differ.values())
    assert list(differ) == other_splits


@pytest.mark.parametrize(
    ("system", "total", "wrong", "more_in_sclite"),
    [("v0-5-1", 7130, 1485, []), ("v0-6-0", 6163, 1416, ["male_us-common_voice_en_189609"])],
)
def test_two_recognisers_on_1712_utterances(
    shared_data: Path, system: str, total: int, wrong: int, more_in_sclite: list[str]
) -> None:
    folder = shared_data / "artie" / "expected" / f"artie_deepspeech_{system}"
    found = compared(folder / "ref.trn", folder / "hyp.trn", folder / "sclite.pra")
    assert len(found) == 1712
    assert sum(errors(ours) for ours, _ in found.values()) == total
    assert sum(errors(ours) > 0 for ours, _ in found.values()) == wrong
    assert sum(errors(theirs) > 0 for _, theirs in found.values()) == wrong
    differ = [key for key, (ours, theirs) in found.items() if errors(ours) != errors(theirs)]
    assert differ == more_in_sclite


def test_where_sclite_has_more_errors_its_alignment_costs_less(shared_data: Path) -> None:
    folder = shared_data / "artie" / "expected" / "artie_deepspeech_v0-6-0"
    found = compared(folder / "ref.trn", folder / "hyp.trn", folder / "sclite.pra")
    for ours, theirs in found.values():
        assert errors(ours) <= errors(theirs)
        assert cost(theirs) <= cost(ours)
    ours, theirs = found["male_us-common_voice_en_189609"]
    assert (errors(ours), errors(theirs)) == (11, 12)
    assert (cost(ours), cost(theirs)) == (40, 40)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reference", "hypothesis", "report", "utterances"),
    [
        ("lvc_ref", "lvc_hyp", "test3", 61),
        ("lvc_refe", "lvc_hyp", "test3a", 58),
        ("lvc_ref", "lvc_hypc", "test3", 61),
        ("test.cantonese", "test.cantonese", "test15_a", 3),
        ("stm2ctm_missing.ref", "stm2ctm_missing.hyp-missfile1", "test16_3", 8),
        ("stm2ctm_missing.ref", "stm2ctm_missing.hyp-missfile1chanA", "test16_4", 8),
        ("stm2ctm_missing.ref", "stm2ctm_missing.hyp-missfile1chanb", "test16_5", 8),
        ("stm2ctm_missing.ref", "stm2ctm_missing.hyp-missfile2", "test16_6", 8),
        ("stm2ctm_missing.ref", "stm2ctm_missing.hyp-missfile2chanA", "test16_7", 8),
        ("stm2ctm_missing.ref", "stm2ctm_missing.hyp-missfile2chanB", "test16_8", 8),
        ("stm2ctm_missing.ref", "stm2ctm_missing.hyp", "test16_9", 8),
    ],
)
def test_segments_with_times_and_choices(
    workspace: Workspace,
    shared_data: Path,
    reference: str,
    hypothesis: str,
    report: str,
    utterances: int,
) -> None:
    """All errors are as many; which alternatives are taken among equals may differ."""
    folder = shared_data / "sctk"
    version = ingest_manifest(
        workspace, [folder / f"{reference}.stm"], "eval", max_reject_share=0.5
    ).manifest
    load_hypotheses(
        workspace,
        version,
        folder / f"{hypothesis}.ctm",
        name="h",
        ids="empty",
        whole_recordings=True,
    )
    found = score_hypotheses(
        workspace, version, "h", ScorePlan(normaliser="sclite", ids="empty")
    ).rate("wer")
    ours = [found[kind] for kind in ("substitutions", "deletions", "insertions")]
    assert found["utterances"] == utterances
    assert sum(ours) == errors(total(folder / "base" / f"{report}.raw"))


def test_words_of_an_unknown_recording(workspace: Workspace, shared_data: Path) -> None:
    """sclite gives up on this input; here its words have no clip and are told."""
    folder = shared_data / "sctk"
    version = ingest_manifest(workspace, [folder / "stm2ctm_missing.ref.stm"], "eval").manifest
    file = folder / "stm2ctm_missing.hyp-extra.ctm"
    assert "Alignment failed" in (folder / "base" / "test16_1.err").read_text()
    result = load_hypotheses(
        workspace, version, file, name="h", ids="common", whole_recordings=True
    )
    assert (result.ids.missing, result.ids.extra) == (0, 15)


def words_by_channel(path: Path) -> dict[str, str]:
    reader, found = CtmHypotheses(), defaultdict(list)
    for chunk in reader.split(path):
        parsed = reader.parse(chunk, frozenset())
        assert not parsed.rejects
        for row in parsed.rows.to_pylist():
            found[row[CHANNEL]].append((row[MIDDLE], row[WORD]))
    return {
        side: " ".join(word for _, word in sorted(words, key=lambda word: word[0]))
        for side, words in found.items()
    }


def test_words_with_times_on_both_sides(shared_data: Path, tmp_path: Path) -> None:
    """sclite cuts the two channels into 22 pieces, where the whole is aligned at once here.

    In each of its pieces the errors are the same; without the cuts there can only be fewer. Two
    words of the hypothesis have durations of -0.01 and -0.02 s, which are read here as 0.01 and
    0.02.
    """
    folder = shared_data / "sctk"
    parts = [line[4:] for line in (folder / "base" / "test13.pra").read_text("latin-1").splitlines()
             if line.startswith(("REF:", "HYP:"))]  # fmt: skip
    sides = (
        pa.array([re.sub(r"(?<!\S)\*+(?!\S)", "", part) for part in parts[first::2]])
        for first in (0, 1)
    )
    theirs = list(alignments(folder / "base" / "test13.pra", "latin-1").values())
    assert len(theirs) == 22
    assert [errors(own) for own in counted(*sides)] == [errors(own) for own in theirs]
    assert sum(map(errors, theirs)) == errors(total(folder / "base" / "test13.raw")) == 410
    shutil.copy(folder / "tima_ref.ctm", tmp_path / "ref.ctm")
    (tmp_path / "hyp.ctm").write_text(
        (folder / "tima_hyp.ctm").read_text().replace(" -0.0", " 0.0")
    )
    reference, hypothesis = (words_by_channel(tmp_path / name) for name in ("ref.ctm", "hyp.ctm"))
    whole = counted(*(pa.array([side["A"], side["B"]]) for side in (reference, hypothesis)))
    assert sum(map(errors, whole)) <= 410
