"""DeepSpeech 0.5.1 against 0.6.0 on the Artie Bias Corpus: our alignment beside sclite's."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import norm

from asrdq.errors import ExitCode
from asrdq.rounds import Verdict
from asrdq.rounds.speakers import speaker_test

if TYPE_CHECKING:
    from tests.rounds.conftest import Rounds, Sctk

    from asrdq.rounds import Comparison


pytestmark = pytest.mark.slow


def trn(path: Path) -> dict[str, str]:
    """Return the texts of a .trn file by their ids."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        text, _, name = line.rpartition("(")
        found[name.rstrip(")")] = text.strip()
    return found


@pytest.fixture
def artie(rounds: Rounds, shared_data: Path) -> Rounds:
    """Both rounds scored; `speaker` is what sclite takes for one, the first part of the id."""
    folder = shared_data / "artie"
    with (folder / "data" / "artie-bias-corpus.tsv").open(encoding="utf-8") as file:
        people = {
            row["path"].removesuffix(".mp3"): {k: row[k] for k in ("age", "gender", "accent")}
            for row in csv.DictReader(file, delimiter="\t")
        }
    expected = {v: folder / "expected" / f"artie_deepspeech_v0-{v}" for v in ("5-1", "6-0")}
    references = trn(expected["5-1"] / "ref.trn")
    rounds.ingest(
        [
            {"utt_id": key, "text": text, "speaker": key.partition("-")[0]}
            | people[key.partition("-")[2]]
            for key, text in references.items()
        ]
    )
    for name, version in (("v051", "5-1"), ("v060", "6-0")):
        rounds.hear(name, trn(expected[version] / "hyp.trn"), normaliser="none")
    return rounds


@pytest.fixture
def compared(artie: Rounds) -> Comparison:
    return artie.compare(
        "v051", "v060", metric="wer", by=["accent", "gender", "age"], replicates=10_000
    )


def test_rates_are_those_of_jiwer_and_sclite(compared: Comparison, shared_data: Path) -> None:
    folder = shared_data / "artie" / "expected"
    for version, found in (("5-1", compared.target.before), ("6-0", compared.target.after)):
        jiwer = json.loads((folder / f"artie_deepspeech_v0-{version}" / "jiwer.json").read_text())
        assert found == pytest.approx(jiwer["wer"])
    table = compared.mcnemar
    assert (table.both_right, table.broken, table.fixed, table.both_wrong) == (181, 46, 115, 1370)


def test_the_decision(compared: Comparison) -> None:
    assert compared.target.relative == pytest.approx(6163 / 7130 - 1)
    assert compared.target.better
    assert compared.decision.verdict is Verdict.GROW
    assert compared.exit_code == ExitCode.FAILED
    assert compared.counts() == {"better": 643, "worse": 321, "fixed": 115, "broken": 46}


def test_groups_add_up_to_the_whole(compared: Comparison) -> None:
    rows = [row for row in compared.deltas.to_pylist() if row["metric"] == "wer"]
    for by in ("accent", "gender", "age"):
        assert sum(row["rows"] for row in rows if row["by"] == by) == 1712
    [indian] = [row for row in rows if row["group"] == "indian"]
    assert (indian["rows"], indian["blocked_by"]) == (264, "speaker")
    assert all(row["adjusted_p"] >= row["p"] for row in rows if row["p"] is not None)


def test_ties_of_alignments_move_few_segments(
    compared: Comparison, sctk: Sctk, artie_alignments: tuple[Path, Path]
) -> None:
    """sclite counts a substitution as 4 and other errors as 3; jiwer's rule counts all as 1.

    So an error may stand beside another word, and rarely belong to another segment; and once in
    these 3,424 utterances sclite's cheapest alignment has an error more than the fewest.
    """
    theirs = sctk.compare(*artie_alignments)
    assert theirs.errors == (7130, 6164)
    assert (compared.mapsswe.errors_before, compared.mapsswe.errors_after) == (7130, 6163)
    assert compared.mapsswe.segments == pytest.approx(theirs.segments, rel=0.01)
    assert compared.mapsswe.z == pytest.approx(theirs.z, rel=0.01)


def test_speakers_beside_sc_stats(
    compared: Comparison, sctk: Sctk, artie_alignments: tuple[Path, Path]
) -> None:
    """Its Wilcoxon gives ranks of speakers without a change in turns, ours split: z −3.43."""
    signs, z = sctk.speakers(*artie_alignments)
    found = compared.speakers
    assert found is not None
    assert (found.better, found.worse, found.same) == (signs["+"], signs["-"], signs["0"])
    assert (found.better, found.worse, found.same) == (28, 7, 5)
    assert found.sign_p == pytest.approx(0.0022, abs=1e-4)
    assert found.wilcoxon_p is not None
    assert -norm.isf(found.wilcoxon_p / 2) == pytest.approx(z, abs=0.1)


def test_speakers_by_hand() -> None:
    """Of 3 speakers 2 get better and 1 stays, which counts against it: p of 1 in 3 is 1."""
    found = speaker_test(np.array([0.5, 0.4, 0.3]), np.array([0.4, 0.3, 0.3]))
    assert found is not None
    assert (found.better, found.worse, found.same, found.sign_p) == (2, 0, 1, 1.0)
    assert found.wilcoxon_p is None
    assert speaker_test(np.array([0.5]), np.array([0.4])) is None
