"""Two rounds compared from their tables: the guide's example, groups, guards, rulers, exposure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asrdq.errors import DataError, ExitCode, UsageError
from asrdq.rounds import Verdict
from asrdq.rounds.decision import Code

if TYPE_CHECKING:
    from tests.rounds.conftest import Rounds

    from asrdq.rounds import Comparison

pytestmark = pytest.mark.slow

PLAYBOOK = {  # rows, misses in round 1, misses in round 2
    "drug": (14, 12, 3),
    "condition": (13, 5, 2),
    "procedure": (12, 3, 0),
}
"""39 rows with 20 and 5 misses; drugs as in the playbook, the others make the total."""


def playbook(rounds: Rounds) -> None:
    rows, texts = [], {"r1": {}, "r2": {}}
    for category, (count, first, second) in PLAYBOOK.items():
        for i in range(count):
            key, term = f"{category}{i:02}", f"{category}ol"
            text = f"give {term} now"
            rows.append({"utt_id": key, "text": text, "term": term, "entity_category": category})
            texts["r1"][key] = "give it now" if i < first else text
            texts["r2"][key] = "give it now" if i < second else text
    rounds.ingest(rows)
    for name, heard in texts.items():
        rounds.hear(name, heard)


def group(found: Comparison, metric: str, by: str, name: str) -> dict[str, Any]:
    [row] = [
        row
        for row in found.deltas.to_pylist()
        if (row["metric"], row["by"], row["group"]) == (metric, by, name)
    ]
    return row


def test_the_example_of_39_rows(rounds: Rounds) -> None:
    playbook(rounds)
    found = rounds.compare(by=["entity_category"], replicates=10_000)
    assert found.target.before == pytest.approx(20 / 39)
    assert found.target.after == pytest.approx(5 / 39)
    assert found.target.relative == pytest.approx(-0.75)
    assert found.target.low is not None
    assert found.target.high is not None
    assert -0.60 < found.target.low < -0.50
    assert -0.25 < found.target.high < -0.15
    assert found.decision.verdict is Verdict.KEEP
    assert found.exit_code == ExitCode.OK
    few = [r.message for r in found.decision.reasons if r.code is Code.FEW_ROWS]
    width = found.target.high - found.target.low
    assert few == [f"39 rows are fewer than 100: the interval of the change is {width:.3f} wide"]
    drugs = group(found, "ker", "entity_category", "drug")
    assert drugs["before"] == pytest.approx(12 / 14)
    assert drugs["after"] == pytest.approx(3 / 14)
    assert (drugs["rows"], drugs["method"], drugs["blocked_by"]) == (14, "t", "utterance")


def test_a_comparison_is_written_down(rounds: Rounds) -> None:
    playbook(rounds)
    found = rounds.compare()
    [row] = rounds.workspace.sql("FROM comparisons").rows.to_pylist()
    assert (row["before"], row["after"], row["verdict"]) == ("r1", "r2", "KEEP")
    assert row["before_rate"] == pytest.approx(20 / 39)
    query = f"FROM comparison_groups WHERE run_id = '{found.run_id}'"
    assert rounds.workspace.sql(query).rows.num_rows == found.deltas.num_rows > 0


def plain_rounds(rounds: Rounds, rows: int, first: int, second: int, **more: Any) -> None:
    """Rows of which round 1 has the last word of `first` wrong, and round 2 of `second`."""
    keys = [f"u{i:03}" for i in range(rows)]
    rounds.ingest([{"utt_id": k, "text": f"one two {k}", **more} for k in keys])
    for name, wrong in (("r1", first), ("r2", second)):
        rounds.hear(
            name,
            {k: "one two x" if i < wrong else f"one two {k}" for i, k in enumerate(keys)},
        )


def test_a_worse_round_is_overfit(rounds: Rounds) -> None:
    plain_rounds(rounds, 60, 10, 40)
    found = rounds.compare(metric="wer")
    assert (found.decision.verdict, found.exit_code) == (Verdict.OVERFIT, ExitCode.FAILED)
    assert found.counts() == {"broken": 30}


def test_equal_rounds_cannot_be_told_apart_and_still_have_an_interval(rounds: Rounds) -> None:
    plain_rounds(rounds, 60, 10, 10)
    found = rounds.compare(metric="ser")
    assert (found.decision.verdict, found.exit_code) == (Verdict.GROW, ExitCode.UNDECIDED)
    assert found.target.change == 0.0
    assert found.target.high == pytest.approx(3 / 60)
    assert found.target.low == pytest.approx(-3 / 60)


def test_without_terms_the_keyword_rate_decides_nothing(rounds: Rounds) -> None:
    plain_rounds(rounds, 10, 5, 0)
    found = rounds.compare()
    assert (found.decision.verdict, found.exit_code) == (Verdict.UNDECIDED, ExitCode.UNDECIDED)
    assert "--metric wer decides by words" in found.summary()


def test_two_rounds_under_five_per_cent_stop(rounds: Rounds) -> None:
    plain_rounds(rounds, 100, 50, 49)
    rounds.hear(
        "r3", {f"u{i:03}": "one two x" if i < 48 else f"one two u{i:03}" for i in range(100)}
    )
    assert rounds.compare("r1", "r2", metric="wer").decision.verdict is Verdict.GROW
    found = rounds.compare("r2", "r3", metric="wer")
    assert (found.decision.verdict, found.exit_code) == (Verdict.STOP, ExitCode.FAILED)


def test_another_metric_before_says_nothing_of_this_one(rounds: Rounds) -> None:
    plain_rounds(rounds, 100, 50, 49)
    rounds.hear(
        "r3", {f"u{i:03}": "one two x" if i < 48 else f"one two u{i:03}" for i in range(100)}
    )
    rounds.compare("r1", "r2", metric="ser")
    assert rounds.compare("r2", "r3", metric="wer").decision.verdict is Verdict.GROW


def guarded(rounds: Rounds, clean: int, broken: int) -> None:
    keys = [f"u{i:03}" for i in range(100)]
    kept = [f"c{i:03}" for i in range(clean)]
    rows = [{"utt_id": k, "text": f"one two {k}", "domain": "noisy"} for k in keys]
    rounds.ingest([*rows, *({"utt_id": k, "text": f"a {k}", "domain": "clean"} for k in kept)])
    right = {k: f"a {k}" for k in kept}
    rounds.hear("r1", {**dict.fromkeys(keys, "one two"), **right})
    spoilt = {k: "a" if i < broken else f"a {k}" for i, k in enumerate(kept)}
    rounds.hear("r2", {**{k: f"one two {k}" for k in keys}, **spoilt})


@pytest.mark.parametrize(
    ("clean", "broken", "verdict", "code"),
    [
        (1000, 0, Verdict.KEEP, ExitCode.OK),
        (20, 0, Verdict.GROW, ExitCode.UNDECIDED),
        (200, 60, Verdict.OVERFIT, ExitCode.FAILED),
    ],
)
def test_a_guard_set(
    rounds: Rounds, clean: int, broken: int, verdict: Verdict, code: ExitCode
) -> None:
    guarded(rounds, clean, broken)
    found = rounds.compare(
        metric="wer", target={"domain": ["noisy"]}, guards=[{"domain": ["clean"]}], margin=0.01
    )
    assert (found.decision.verdict, found.exit_code) == (verdict, code)


def test_a_value_that_no_row_has_is_an_error(rounds: Rounds) -> None:
    guarded(rounds, 5, 0)
    with pytest.raises(UsageError, match="did you mean 'clean'"):
        rounds.compare(metric="wer", guards=[{"domain": ["cleen"]}])
    with pytest.raises(UsageError, match="did you mean 'domain'"):
        rounds.compare(metric="wer", by=["domian"])


def test_other_utterances_are_an_error_unless_those_in_common_are_asked_for(
    rounds: Rounds,
) -> None:
    keys = [f"u{i}" for i in range(30)]
    rounds.ingest([{"utt_id": k, "text": f"one {k}"} for k in keys])
    rounds.hear("r1", dict.fromkeys(keys[:28], "one"), ids="common")
    rounds.hear("r2", {k: f"one {k}" for k in keys[1:]}, ids="common")
    with pytest.raises(DataError, match=r"only the first round has 1: u0; .*second.* 2: u28, u29"):
        rounds.compare(metric="wer")
    found = rounds.compare(metric="wer", ids="common")
    assert found.rows == 27
    assert any("1 utterances that only the first" in note for note in found.notes)


def test_a_round_that_was_not_scored_is_named(rounds: Rounds) -> None:
    plain_rounds(rounds, 10, 5, 0)
    with pytest.raises(UsageError, match="unknown scored set of hypotheses 'r3'"):
        rounds.compare("r1", "r3")
    with pytest.raises(UsageError, match="compared with itself"):
        rounds.compare("r1", "r1")


def test_a_changed_normaliser_is_taken_apart_from_the_model(rounds: Rounds) -> None:
    """Round 1 writes capitals, which only `none` counts: 20 of 60 words; `basic` leaves 0."""
    keys = [f"u{i:02}" for i in range(20)]
    rounds.ingest([{"utt_id": k, "text": f"one two {k}"} for k in keys])
    rounds.hear("r1", {k: f"One two {k}" for k in keys}, normaliser="none")
    rounds.hear("r2", {k: f"One two {k}" for k in keys}, normaliser="basic")
    found = rounds.compare(metric="wer")
    assert found.ruler is not None
    rates = found.ruler.metrics["wer"]
    assert (rates.before_old, rates.before_new) == pytest.approx((1 / 3, 0.0))
    assert (rates.after_old, rates.after_new) == pytest.approx((1 / 3, 0.0))
    assert (rates.total, rates.model, rates.by_ruler) == pytest.approx((-1 / 3, 0.0, -1 / 3))
    assert found.target.change == 0.0
    assert found.decision.verdict is Verdict.GROW


def variants(folder: Path, *groups: str) -> str:
    """Write a file of spelling variants."""
    file = folder / "variants.yaml"
    lines = ["version: 1", "language: en", "groups:", *(f"  - [{group}]" for group in groups)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(file)


def test_a_ruler_that_cannot_be_had_any_more(rounds: Rounds, tmp_path: Path) -> None:
    """The older one leaves a rate unknown; without the newer one nothing can be compared."""
    keys = [f"u{i:02}" for i in range(20)]
    rounds.ingest([{"utt_id": k, "text": f"a colour {k}"} for k in keys])
    heard = {k: f"a color {k}" for k in keys}
    rounds.hear("r1", heard, equivalences=variants(tmp_path, "colour, color"))
    rounds.hear("r2", heard)
    variants(tmp_path, "colour, color", "grey, gray")
    found = rounds.compare(metric="wer")
    assert found.ruler is not None
    rates = found.ruler.metrics["wer"]
    assert (rates.before_old, rates.before_new, rates.after_old) == (
        0.0,
        pytest.approx(1 / 3),
        None,
    )
    with pytest.raises(DataError, match="'basic' has changed since 'r1' was scored") as error:
        rounds.compare("r2", "r1", metric="wer")
    assert error.value.hint is not None
    assert "--equivalences" in error.value.hint


def test_changed_references_are_a_changed_ruler(rounds: Rounds) -> None:
    keys = [f"u{i:02}" for i in range(20)]
    rounds.ingest([{"utt_id": k, "text": f"one too {k}"} for k in keys])
    rounds.hear("r1", {k: f"one two {k}" for k in keys})
    rounds.ingest([{"utt_id": k, "text": f"one two {k}"} for k in keys])
    rounds.hear("r2", {k: f"one two {k}" for k in keys})
    found = rounds.compare(metric="wer")
    assert found.ruler is not None
    assert found.ruler.metrics["wer"].by_ruler == pytest.approx(-1 / 3)
    assert found.ruler.metrics["wer"].model == pytest.approx(0.0)


def test_another_version_with_the_same_references_is_the_same_ruler(rounds: Rounds) -> None:
    plain_rounds(rounds, 20, 5, 5)
    rounds.ingest([{"utt_id": f"u{i:03}", "text": f"one two u{i:03}", "x": "y"} for i in range(20)])
    rounds.score("r2")
    assert rounds.compare(metric="wer").ruler is None


def test_a_choice_of_words_made_for_each_round_is_one_ruler(rounds: Rounds) -> None:
    keys = [f"u{i:02}" for i in range(20)]
    rows = [{"utt_id": k, "text": f"{{ um / uh / @ }} one two {k}"} for k in keys]
    rounds.ingest(rows)
    rounds.hear("r1", {k: f"uh one too {k}" for k in keys})
    rounds.hear("r2", {k: f"one two {k}" for k in keys})
    found = rounds.compare(metric="wer")
    assert found.ruler is None
    assert (found.target.before, found.target.after) == (1 / 4, 0.0)
    rounds.ingest([{**row, "x": "another column"} for row in rows])
    rounds.score("r2")
    assert rounds.compare(metric="wer").ruler is None
    rounds.ingest([{"utt_id": k, "text": f"{{ hm / @ }} one two {k}"} for k in keys])
    rounds.score("r2")
    assert rounds.compare(metric="wer").ruler is not None


def test_rows_and_terms_of_the_training_data_are_told_apart(rounds: Rounds) -> None:
    """Of 30 rows, 5 are in training by id and 3 more by text; their errors are mended."""
    keys = [f"u{i:02}" for i in range(30)]
    rows = [
        {"utt_id": k, "text": f"give drug{i % 2} {k}", "term": f"drug{i % 2}"}
        for i, k in enumerate(keys)
    ]
    rounds.ingest(rows)
    known = [{"utt_id": k, "text": "drug0 other words"} for k in keys[:5]]
    known += [{"utt_id": f"t{k}", "text": f"Give drug1, {k}!"} for k in keys[5:10:2]]
    rounds.ingest(known, "train")
    rounds.hear("r1", dict.fromkeys(keys, "give"))
    rounds.hear("r2", {r["utt_id"]: r["text"] if i < 10 else "give" for i, r in enumerate(rows)})
    found = rounds.compare(metric="wer", train="train")
    assert group(found, "wer", "exposure", "trained on")["rows"] == 8
    assert group(found, "wer", "exposure", "trained on")["after"] == 0.0
    assert group(found, "wer", "exposure", "held out")["rows"] == 22
    assert found.target.rows == 22
    assert found.target.scope == "all rows, held out"
    assert found.decision.verdict is Verdict.GROW
    seen = group(found, "ker", "term_exposure", "seen")
    assert (seen["rows"], seen["before"], seen["after"]) == (30, 1.0, pytest.approx(2 / 3))


def test_a_row_is_known_by_its_audio(rounds: Rounds, data_samples: Path) -> None:
    clip = min((data_samples / "audio").glob("*.flac")).read_bytes()
    for name in ("u0.wav", "t0.wav"):
        (rounds.folder / name).write_bytes(clip)
    rounds.ingest([{"utt_id": f"u{i}", "text": f"text {i}"} for i in range(3)])
    rounds.ingest([{"utt_id": "t0", "text": "something else"}], "train")
    for name in ("r1", "r2"):
        rounds.hear(name, {f"u{i}": "text" for i in range(3)})
    found = rounds.compare(metric="wer", train="train")
    assert group(found, "wer", "exposure", "trained on")["rows"] == 1
    assert "0 rows by utt_id, 1 by audio, 0 by text" in found.summary()


def test_unseen_terms_are_told_apart(rounds: Rounds) -> None:
    rounds.ingest(
        [
            {"utt_id": f"u{i}", "text": f"give {t} now", "term": t}
            for i, t in enumerate(["metformin", "cefa zolin"])
        ]
    )
    rounds.ingest([{"utt_id": "t", "text": "take Metformin with cefazolin"}], "train")
    heard = {"u0": "give metformin now", "u1": "give it now"}
    rounds.hear("r1", heard)
    rounds.hear("r2", heard)
    found = rounds.compare(train="train")
    assert group(found, "ker", "term_exposure", "seen")["after"] == 0.0
    assert group(found, "ker", "term_exposure", "unseen")["after"] == 1.0


def test_durations_are_a_grouping_without_being_asked_for(rounds: Rounds) -> None:
    rounds.ingest(
        [
            {"utt_id": f"u{i}", "text": "a b", "duration_s": seconds}
            for i, seconds in enumerate([4.99, 5.0, 14.99, 15.0])
        ]
    )
    for name in ("r1", "r2"):
        rounds.hear(name, {f"u{i}": "a b" for i in range(4)})
    deltas = rounds.compare(metric="wer").deltas.to_pylist()
    rows = [
        (row["group"], row["rows"])
        for row in deltas
        if (row["metric"], row["by"]) == ("wer", "duration_bucket")
    ]
    assert rows == [("< 5 s", 1), ("5 to 15 s", 2), ("15 s and longer", 1)]


def test_a_share_changes_by_no_more_than_all_of_it(rounds: Rounds) -> None:
    """Student's t with one degree of freedom reaches far beyond what a share can be."""
    plain_rounds(rounds, 2, 2, 1)
    found = rounds.compare(metric="ser")
    assert (found.target.before, found.target.after) == (1.0, 0.5)
    assert (found.target.low, found.target.high) == (-1.0, 1.0)
    rows = {row["metric"]: row for row in found.deltas.to_pylist() if not row["by"]}
    assert rows["ser"]["detectable"] is None
    assert rows["wer"]["low"] < -1.0
