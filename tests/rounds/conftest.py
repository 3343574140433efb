"""NIST's own tools as the oracle, and rounds that are made up row by row."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from asrdq.rounds.mapsswe import WordErrors

if TYPE_CHECKING:
    from asrdq.rounds import Comparison
    from asrdq.workspace import ManifestVersion, Workspace

PROGRAMS = Path("/usr/lib/sctk/bin")
_RESULT = re.compile(
    r"# segs: (\d+)\).*mean: *(-?[\d.]+)\).*std dev: *([\d.]+)\).*Z Stat: *(-?[\d.]+)\)"
)
_COUNTS = re.compile(r"\bcorr +(\d+) +(\d+)\s+incorr +(\d+) +(\d+)")


@dataclass(frozen=True)
class ScStats:
    """What sc_stats prints of a pair: MAPSSWE to three digits, and tables of McNemar.

    The tables hold: right in both, only before, only after, in neither.
    """

    segments: int
    mean: float
    deviation: float
    z: float
    errors: tuple[int, int]
    segment_table: tuple[int, ...]
    utterance_table: tuple[int, ...]
    utterance_p: float


@dataclass(frozen=True)
class Sctk:
    """The programs of NIST's toolkit."""

    folder: Path

    def align(self, reference: Path, hypothesis: Path, name: str) -> Path:
        """Align two .trn files and return sclite's .sgml."""
        given = self.folder / name
        shutil.copyfile(hypothesis, given)
        command = ["sctk", "sclite", "-i", "rm", "-s", "-o", "sgml", "stdout"]
        done = subprocess.run(
            [*command, "-r", reference, "trn", "-h", given, "trn"], capture_output=True, check=True
        )
        aligned = self.folder / f"{name}.sgml"
        aligned.write_bytes(done.stdout)
        return aligned

    def compare(self, before: Path, after: Path) -> ScStats:
        """Return what sc_stats says of two alignments; it runs one test at a time."""
        matched, sentences = self._test(before, after, "mapsswe"), self._test(before, after, "mcn")
        result = _RESULT.search(matched)
        errors = re.search(r"Totals +\d+ +(\d+) +(\d+)", matched)
        tables = [_COUNTS.search(text) for text in (matched, sentences)]
        assert result and errors and all(tables), matched
        mean, deviation, z = map(float, result.groups()[1:])
        both = int(errors[1]), int(errors[2])
        counts = [tuple(map(int, table.groups())) for table in tables if table]
        p = re.search(r"occurring is ([\d.]+)", sentences)
        chance = float(p[1]) if p else 1.0
        return ScStats(int(result[1]), mean, deviation, z, both, *counts, chance)

    def speakers(self, before: Path, after: Path) -> tuple[dict[str, int], float]:
        """Return how many speakers get better (+), worse (-) or stay (0), and Wilcoxon's z."""
        signs = re.findall(r"= N\(([-+0])\) = +(\d+)", self._test(before, after, "sign"))
        z = re.search(r"Z statistic = *(-?[\d.]+)", self._test(before, after, "wilc"))
        assert z
        return {sign: int(count) for sign, count in signs}, float(z[1])

    def errors(self, *aligned: Path) -> list[WordErrors]:
        """Return the errors in each of several .sgml files, utterances numbered by their ids."""
        kinds = [_aligned_words(path) for path in aligned]
        return [numbered([each[name] for name in sorted(kinds[0])]) for each in kinds]

    def _test(self, before: Path, after: Path, name: str) -> str:
        output = self.folder / "out"
        subprocess.run(  # it may crash when it has written everything
            [PROGRAMS / "sc_stats", "-p", "-t", name, "-v", "-n", output],
            input=before.read_bytes() + after.read_bytes(),
            capture_output=True,
            check=False,
        )
        return Path(f"{output}.stats.{name}").read_text(encoding="utf-8", errors="replace")


def _aligned_words(path: Path) -> dict[str, str]:
    """Return the kinds of the aligned words of each utterance: C, S, D and I."""
    found: dict[str, str] = {}
    utterance: str | None = None
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("<PATH"):
            named = re.search(r'id="\((.*?)\)"', line)
            assert named
            utterance = named[1]
            found[utterance] = ""
        elif line.startswith("<"):
            utterance = None
        elif utterance and line:
            found[utterance] = "".join(re.findall(r"(?:^|:)([CSDI])(?=,)", line))
    return found


def error_slots(kinds: str) -> list[int]:
    """Return the slots of the errors of one utterance: "CSID" has them at 3, 4 and 5.

    The kinds are those that sclite writes: `C` correct, `S` substituted, `D` deleted, `I` inserted.
    """
    slots, word = [], 0
    for kind in kinds:
        if kind != "C":
            slots.append(2 * word + (kind != "I"))
        word += kind != "I"
    return slots


def numbered(aligned: Sequence[str]) -> WordErrors:
    """Return the errors of utterances whose aligned words are given by their kinds."""
    slots = [error_slots(kinds) for kinds in aligned]
    return WordErrors(
        np.repeat(np.arange(len(slots)), [len(each) for each in slots]),
        np.array([slot for each in slots for slot in each], np.int64),
    )


@pytest.fixture
def word_errors() -> Callable[..., WordErrors]:
    """Make the errors of a round: `word_errors("CSD", "CC")` has two in the first utterance."""
    return lambda *aligned: numbered(aligned)


@pytest.fixture
def sctk(tmp_path: Path) -> Sctk:
    """NIST's scoring toolkit; in CI its absence is a failure."""
    if (PROGRAMS / "sc_stats").is_file() and shutil.which("sctk"):
        return Sctk(tmp_path)
    reason = "sctk is not installed (`make system` installs it where it can)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def artie_alignments(sctk: Sctk, shared_data: Path) -> tuple[Path, Path]:
    """Two rounds of DeepSpeech on the same 1,712 utterances, aligned by sclite."""
    folder = shared_data / "artie" / "expected"
    rounds = [folder / f"artie_deepspeech_v0-{version}" for version in ("5-1", "6-0")]
    before, after = (sctk.align(r / "ref.trn", r / "hyp.trn", r.name[-5:]) for r in rounds)
    return before, after


@dataclass(frozen=True)
class Rounds:
    """A workspace in which rows become an evaluation, and texts become rounds on it."""

    workspace: Workspace
    folder: Path

    def ingest(self, rows: Sequence[Mapping[str, Any]], name: str = "eval") -> ManifestVersion:
        """Ingest rows; each has `utt_id` and `text`, and a clip that need not be there."""
        from asrdq.manifests import ingest_manifest

        file = self.folder / f"{name}.jsonl"
        given = [{"audio_path": f"{row['utt_id']}.wav", "duration_s": 4.0, **row} for row in rows]
        file.write_text("".join(json.dumps(row) + "\n" for row in given), encoding="utf-8")
        ingest_manifest(self.workspace, [file], name, audio_root=self.folder)
        return self.workspace.manifest(name)

    def hear(
        self,
        name: str,
        texts: Mapping[str, str],
        manifest: str = "eval",
        **scoring: Any,
    ) -> None:
        """Make a round of texts by utt_id and score it."""
        from asrdq.hypotheses import load_hypotheses

        file = self.folder / f"{name}.hyps.jsonl"
        lines = [json.dumps({"utt_id": key, "hypothesis": text}) for key, text in texts.items()]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        version = self.workspace.manifest(manifest)
        load_hypotheses(self.workspace, version, file, name=name, ids=scoring.get("ids", "strict"))
        self.score(name, manifest, **scoring)

    def score(self, name: str, manifest: str = "eval", **scoring: Any) -> None:
        """Score a round."""
        from asrdq.scoring import ScorePlan, score_hypotheses

        version = self.workspace.manifest(manifest)
        score_hypotheses(self.workspace, version, name, ScorePlan(replicates=100, **scoring))

    def compare(self, before: str = "r1", after: str = "r2", **plan: Any) -> Comparison:
        """Compare two rounds, with few replicates unless told."""
        from asrdq.rounds import ComparePlan, compare_rounds

        manifest = plan.pop("manifest", None)
        made = ComparePlan(**{"replicates": 1000, **plan})
        return compare_rounds(self.workspace, before, after, made, manifest=manifest)


@pytest.fixture
def rounds(workspace: Workspace, tmp_path: Path) -> Rounds:
    """A workspace for rounds."""
    return Rounds(workspace, tmp_path)
