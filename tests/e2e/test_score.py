"""`asrdq score` as a user types it: two real recognisers, and bad input."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def artie(tmp_path: Path, run_cli: RunCli, shared_data: Path) -> Path:
    """A workspace with the Artie Bias Corpus as the reports of sclite have it: lower case."""
    folder = tmp_path / "project"
    run_cli("init", folder)
    expected = shared_data / "artie" / "expected" / "artie_deepspeech_v0-5-1"
    lines = []
    for line in (expected / "ref.trn").read_text(encoding="utf-8").splitlines():
        words, _, key = line.rpartition(" (")
        gender, _, accent = key.partition("-")[0].partition("_")
        lines.append(
            json.dumps(
                {
                    "id": key[:-1],
                    "audio_filepath": f"{key[:-1]}.wav",
                    "text": words,
                    "gender": gender,
                    "accent": accent,
                    "subset": key.partition("-")[0],
                }
            )
        )
    (tmp_path / "artie.jsonl").write_text("\n".join(lines), encoding="utf-8")
    run_cli("ingest", tmp_path / "artie.jsonl", "--name", "artie", cwd=folder)
    return folder


def score(run_cli: RunCli, folder: Path, *options: object) -> dict[str, Any]:
    done = run_cli("score", "artie", *options, "--format", "json", cwd=folder)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def sclite_groups(report: Path) -> dict[str, tuple[int, int, int]]:
    """Return utterances, words and errors of each speaker line of sclite's .raw report."""
    found = {}
    for line in report.read_text(encoding="utf-8").splitlines():
        cells = [cell.split() for cell in line.strip("| \n").split("|")]
        if len(cells) == 3 and len(cells[1]) == 2 and cells[1][0].isdigit():
            found[cells[0][0]] = int(cells[1][0]), int(cells[1][1]), int(cells[2][4])
    return found


@pytest.mark.parametrize(
    ("system", "errors", "words"), [("v0-5-1", 7130, 14499), ("v0-6-0", 6163, 14499)]
)
def test_two_rounds_of_a_recogniser_by_group(
    artie: Path, run_cli: RunCli, shared_data: Path, system: str, errors: int, words: int
) -> None:
    expected = shared_data / "artie" / "expected" / f"artie_deepspeech_{system}"
    result = score(
        *(run_cli, artie, "--hyps", f"r={expected / 'hyp.trn'}"),
        *("--by", "gender,accent,subset", "--normaliser", "none"),
    )
    everything = result["groups"][0]
    counted = everything["substitutions"] + everything["deletions"] + everything["insertions"]
    assert (counted, everything["words"], everything["utterances"]) == (errors, words, 1712)
    oracle = json.loads((expected / "jiwer.json").read_text(encoding="utf-8"))
    if system == "v0-5-1":
        assert everything["hits"] == oracle["hits"]
        assert everything["rate"] == pytest.approx(oracle["wer"])
    theirs = sclite_groups(expected / "sclite.raw")
    ours = {
        row["member"]: (row["utterances"], row["words"], row["rate"] * row["words"])
        for row in result["groups"]
        if (row["grouped_by"], row["metric"]) == ("subset", "wer")
    }
    assert len(ours) == 40
    one_more = {"male_us"} if system == "v0-6-0" else set()
    for name, (utterances, spoken, wrong) in ours.items():
        assert theirs[name][:2] == (utterances, spoken)
        assert round(wrong) == theirs[name][2] - (name in one_more)


def test_what_people_see(artie: Path, run_cli: RunCli, shared_data: Path) -> None:
    file = shared_data / "artie" / "expected" / "artie_deepspeech_v0-5-1" / "hyp.trn"
    done = run_cli("score", "artie", "--hyps", f"r1={file}", "--by", "gender", cwd=artie)
    assert "1,712 of 1,712 clips of artie@0 have a hypothesis" in done.stderr
    assert "next: asrdq leaderboard r1" in done.stderr
    assert "bootstrap" in done.stdout
    table = run_cli("score", "artie", "--hyps", "r1", "--format", "csv", cwd=artie).stdout
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["metric"] for row in rows] == ["wer", "cer", "mer", "wil", "wip", "ser"]
    query = (
        "SELECT reference, hypothesis, count(*) AS n FROM word_edits "
        "WHERE kind = 'substitution' GROUP BY ALL ORDER BY n DESC LIMIT 1"
    )
    confused = run_cli("sql", query, "--format", "json", cwd=artie)
    assert json.loads(confused.stdout)[0].keys() == {"reference", "hypothesis", "n"}


@pytest.fixture
def small(tmp_path: Path, run_cli: RunCli) -> Path:
    """A workspace with four utterances, one of them 10,000 words long."""
    folder = tmp_path / "small"
    run_cli("init", folder)
    texts = {
        "latin": "hello there",
        "hebrew": "שלום עולם טוב",
        "empty": "",
        "long": " ".join(f"w{number}" for number in range(10_000)),
    }
    lines = [
        json.dumps({"id": key, "audio_filepath": f"{key}.wav", "text": text})
        for key, text in texts.items()
    ]
    (tmp_path / "eval.jsonl").write_text("\n".join(lines), encoding="utf-8")
    run_cli("ingest", tmp_path / "eval.jsonl", "--name", "eval", cwd=folder)
    return folder


def hyps(folder: Path, texts: list[tuple[str, str]]) -> Path:
    """Write hypotheses; texts are put into the JSON as they are."""
    file = folder / "hyps.jsonl"
    lines = [f'{{"utt_id": "{key}", "pred_text": "{text}"}}' for key, text in texts]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


LONG = " ".join(f"w{number}" for number in range(1, 10_000))
GOOD = [("latin", "hello"), ("hebrew", "שלום עולם"), ("empty", "noise"), ("long", LONG)]


def test_texts_of_every_kind(small: Path, run_cli: RunCli) -> None:
    file = hyps(small, GOOD)
    done = run_cli("score", "eval", "--hyps", f"r1={file}", "--format", "json", cwd=small)
    everything = json.loads(done.stdout)["groups"][0]
    assert everything["words"] == 2 + 3 + 10_000
    assert (everything["deletions"], everything["insertions"]) == (3, 1)
    assert "1 references are empty: only insertions count there" in done.stderr
    assert "4 rows are fewer than 100" in done.stderr


def test_control_characters_and_marks_of_direction_are_no_words(
    small: Path, run_cli: RunCli
) -> None:
    texts = dict(GOOD) | {"latin": "hello\\u0000\\u200f there", "hebrew": "\\u202bשלום עולם טוב"}
    file = hyps(small, list(texts.items()))
    run_cli("score", "eval", "--hyps", f"r1={file}", cwd=small)
    found = run_cli(
        *("sql", "SELECT utt_id FROM scores WHERE hits = words AND insertions = 0"),
        *("--format", "json"),
        cwd=small,
    )
    assert {row["utt_id"] for row in json.loads(found.stdout)} == {"latin", "hebrew"}


def test_duplicate_ids_are_refused_with_their_lines(small: Path, run_cli: RunCli) -> None:
    file = hyps(small, [*GOOD, ("latin", "other")])
    done = run_cli("score", "eval", "--hyps", f"r1={file}", cwd=small, code=1)
    assert "'latin' stands on lines 1, 5" in done.stderr


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ([*GOOD[:3]], "long"),
        ([*GOOD, ("stranger", "x")], "stranger"),
        ([*GOOD[:3], ("long", "\\ud800 lone")], "hyps.jsonl:4"),
    ],
)
def test_other_sets_of_ids_are_refused_unless_asked(
    small: Path, run_cli: RunCli, texts: list[tuple[str, str]], told: str
) -> None:
    file = hyps(small, texts)
    done = run_cli("score", "eval", "--hyps", f"r1={file}", cwd=small, code=1)
    assert told in done.stderr
    assert "--ids" in done.stderr
    run_cli("score", "eval", "--hyps", f"r1={file}", "--ids", "common", cwd=small)


def test_hypotheses_of_a_sample_alone(small: Path, run_cli: RunCli) -> None:
    run_cli("sample", "eval", "--rows", "2", cwd=small)
    drawn = run_cli("sql", "SELECT utt_id FROM samples", "--format", "json", cwd=small)
    ids = {row["utt_id"] for row in json.loads(drawn.stdout)}
    file = hyps(small, [(key, text) for key, text in GOOD if key in ids])
    options = ("--hyps", f"r1={file}", "--sample", "--format", "json")
    result = json.loads(run_cli("score", "eval", *options, cwd=small).stdout)
    assert result["rows"] == 2
    assert result["groups"][0]["utterances"] == 4
    run_cli("score", "eval", "--hyps", "r1", cwd=small, code=1)
    other = hyps(small, [(key, text) for key, text in GOOD if key not in ids])
    done = run_cli("score", "eval", "--hyps", f"r2={other}", "--sample", cwd=small, code=1)
    assert "have no hypothesis in 'r2'" in done.stderr


def test_groups_are_in_order_and_say_what_is_not_measured(tmp_path: Path, run_cli: RunCli) -> None:
    folder = tmp_path / "grouped"
    run_cli("init", folder)
    rows = [(2.0, "9", "knee"), (8.0, "10", "liver"), (20.0, "-5", None), (9.0, "n/a", "liver")]
    lines = [
        {"id": str(n), "audio_filepath": f"{n}.wav", "text": f"the {term}", "duration": seconds}
        | {"snr": snr, "term": term}
        for n, (seconds, snr, term) in enumerate(rows)
    ]
    (tmp_path / "eval.jsonl").write_text("\n".join(map(json.dumps, lines)))
    run_cli("ingest", tmp_path / "eval.jsonl", "--name", "eval", cwd=folder)
    file = hyps(folder, [("0", "the knee"), ("1", "a river"), ("2", "the"), ("3", "liver")])
    options = ("--hyps", f"r={file}", "--by", "duration_bucket,snr")
    done = run_cli("score", "eval", *options, "--format", "markdown", cwd=folder)
    cells = [[own.strip() for own in line.split("|")[1:-1]] for line in done.stdout.splitlines()]
    first = [row[0] for row in cells]
    start = first.index("duration_bucket")
    assert first[start + 2 : start + 5] == [r"\< 5 s", "5 to 15 s", "15 s and longer"]
    assert cells[start + 4][-2:] == ["", "nothing to divide by"]
    start = first.index("snr")
    assert first[start + 2 : start + 6] == ["-5", "9", "10", "n/a"]
    start = first.index("term")
    assert cells[start] == ["term", "utterances", "ker", "ker 95 %"]
    assert [row[:3] for row in cells[start + 2 :]] == [["liver", "2", "0.5"], ["knee", "1", "0"]]
    assert "4 rows are fewer than 100; width of intervals: WER" in done.stderr
    assert ", KER " in done.stderr
    board = run_cli("leaderboard", "r", cwd=folder)
    assert "1 row with a term " in board.stdout
    assert "2 rows with terms " in board.stdout
