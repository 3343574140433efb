"""Errors of each utterance beside NIST's sclite, on its own test inputs and on real recognisers.

sclite takes the alignment of least cost, 4 for a substitution and 3 for a deletion or insertion; we
take, as jiwer does, one with the least errors. So sclite never has fewer errors, and S, D and I
of an utterance may differ where both have as many.
"""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from asrdq.scoring.edits import Edit, find_edits
from asrdq.scoring.tokens import tokenise

Counts = tuple[int, int, int, int]

_ID = re.compile(r"id: \((.*)\)")
_SCORES = re.compile(r"Scores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)")


def transcripts(path: Path, encoding: str) -> dict[str, str]:
    """Return lower-cased texts by id; those with alternations need sclite's own rules."""
    found = {}
    for line in path.read_text(encoding).splitlines():
        words, _, key = line.strip().rpartition("(")
        if key and "{" not in words:
            found[key.rstrip(")").lower()] = " ".join(words.lower().split())
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
    pairs = tokenise(
        pa.array([references[key] for key in keys]), pa.array([hypotheses[key] for key in keys])
    )
    edits = find_edits(pairs.references, pairs.hypotheses)
    replaced, left_out, put_in = (edits.count(kind, len(keys)) for kind in Edit)
    hits = pairs.references.lengths - replaced - left_out
    ours = zip(hits.tolist(), replaced.tolist(), left_out.tolist(), put_in.tolist(), strict=True)
    return {key: (own, theirs[key]) for key, own in zip(keys, ours, strict=True)}


def errors(counts: Counts) -> int:
    return sum(counts[1:])


def cost(counts: Counts) -> int:
    return 4 * counts[1] + 3 * (counts[2] + counts[3])


@pytest.mark.parametrize(
    ("reference", "hypothesis", "report", "encoding", "utterances"),
    [
        ("csrnab.ref", "csrnab.hyp", "test1.pra", "latin-1", 45),
        ("test.turkish.ref", "test.turkish.hyp", "test15_c.pra", "utf-8", 3),
        ("test.ukranian.ref", "test.ukranian.hyp", "test15_d.pra", "utf-8", 6),
        ("test.vietnamese.ref.trn", "test.vietnamese.hyp.trn", "test17.pra", "utf-8", 8),
    ],
)
def test_nist_s_own_inputs(
    shared_data: Path,
    reference: str,
    hypothesis: str,
    report: str,
    encoding: str,
    utterances: int,
) -> None:
    folder = shared_data / "sctk"
    found = compared(folder / reference, folder / hypothesis, folder / "base" / report, encoding)
    assert len(found) == utterances
    assert {key for key, (ours, theirs) in found.items() if ours != theirs} == set()


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
