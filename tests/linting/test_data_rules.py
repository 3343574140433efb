"""Rules that hold a configuration against manifests: each fires, and is silent on its twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests.conftest import Ingest
from tests.linting.conftest import ARGUMENTS, SOUND, changed, rules_of

from asrdq.errors import ExitCode
from asrdq.linting import Around, Job, Level, LintResult, lint_config, read_config
from asrdq.manifests import PathMap, listed_in
from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

DATA_RULES = (
    "lr-too-low",
    "steps-against-epochs",
    "warmup-too-short",
    "rows-dropped",
    "null-durations",
    "clip-too-long-for-whisper",
    "label-too-long-for-whisper",
    "clip-too-long-for-aligner",
    "repeated-transcript",
    "tokenizer-coverage",
    "language-unsupported",
    "validation-set-small",
    "validation-set-large",
    "split-leak",
    "split-speaker",
)
"""Rules whose examples stand here."""

Rows = Sequence[Mapping[str, Any]]


def rows(count: int, **given: Any) -> list[dict[str, Any]]:
    """Return rows of 5 s with words of their own and a speaker each."""
    base = {"duration": 5.0, "language": "en"}
    return [
        {
            **base,
            "audio_filepath": f"clip{number}.wav",
            "text": f"this is sentence number {spelled(number)}",
            "speaker": f"s{number}",
            **given,
        }
        for number in range(count)
    ]


def spelled(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


@pytest.fixture
def against(workspace: Workspace, ingest: Ingest, tmp_path: Path) -> Any:
    """Lint a text against rows: `against(text, train_rows, val=val_rows)`."""

    def run(text: str, train: Rows, val: Rows | None = None, **around: Any) -> LintResult:
        file = tmp_path / "train.yaml"
        file.write_text(text, encoding="utf-8")
        manifest = ingest(train, "train")
        validation = None if val is None else ingest(val, "val")
        return lint_config(
            read_config(file),
            Around(workspace=workspace, manifest=manifest, validation=validation, **around),
        )

    return run


def messages(result: LintResult, rule: str) -> list[tuple[Level, str]]:
    return [(each.level, each.message) for each in result.standing if each.rule == rule]


def test_a_low_learning_rate_is_for_many_rows(against: Any) -> None:
    low = changed(SOUND, "optim.lr: 5e-5")
    assert messages(against(low, rows(99)), "lr-too-low") == [
        (Level.WARNING, "model.optim.lr 5e-05 on 99 rows")
    ]
    assert "lr-too-low" not in rules_of(against(low, rows(100)))
    assert "lr-too-low" not in rules_of(against(SOUND, rows(99)))


def test_steps_and_epochs_that_contradict_each_other(against: Any) -> None:
    """640 rows at 64 are 10 steps an epoch, and 20 epochs 200 steps."""
    few = changed(SOUND, "trainer.max_steps: 50")
    [(level, told)] = messages(against(few, rows(640)), "steps-against-epochs")
    assert level is Level.ERROR
    assert told == "50 steps are 5 epochs of train@0 (10 steps each), and 20 epochs are 200 steps"
    enough = changed(SOUND, "trainer.max_steps: 200")
    assert "steps-against-epochs" not in rules_of(against(enough, rows(640)))


def test_a_schedule_is_held_against_the_steps_of_the_data(against: Any) -> None:
    wrong = changed(SOUND, "sched.max_steps: 50")
    assert messages(against(wrong, rows(640)), "schedule-steps-mismatch") == [
        (
            Level.ERROR,
            "model.optim.sched.max_steps is 50, and 20 epochs of train@0 are 200 steps",
        )
    ]
    right = changed(SOUND, "sched.max_steps: 198")
    assert "schedule-steps-mismatch" not in rules_of(against(right, rows(640)))


def test_five_warm_up_steps_are_for_a_tiny_manifest(against: Any) -> None:
    five = changed(SOUND, "warmup_steps: 5")
    assert messages(against(five, rows(1000)), "warmup-too-short") == [
        (Level.WARNING, "5 warm-up steps for 1,000 rows")
    ]
    assert "warmup-too-short" not in rules_of(against(five, rows(99)))
    assert "warmup-too-short" not in rules_of(against(SOUND, rows(1000)))


def test_rows_that_the_loader_drops_are_counted_by_reason(against: Any) -> None:
    mixed = [*rows(6), *rows(3, duration=20.01), *rows(1, duration=0.09)]
    for number, row in enumerate(mixed):
        row["audio_filepath"] = f"{number}.wav"
    result = against(SOUND, mixed)
    assert messages(result, "rows-dropped") == [
        (Level.WARNING, "3 of 10 rows (30.00%), 0.02 h, lie above model.train_ds.max_duration 20"),
        (Level.WARNING, "1 of 10 rows (10.00%), 0.00 h, lie below model.train_ds.min_duration 0.1"),
    ]
    assert [each.line for each in result.standing if each.rule == "rows-dropped"] == [8, 9]
    kept = [*rows(2, duration=20.0), {**rows(1, duration=0.1)[0], "audio_filepath": "x.wav"}]
    assert "rows-dropped" not in rules_of(against(SOUND, kept))


def test_a_filter_that_leaves_nothing_is_an_error(against: Any) -> None:
    [(level, _)] = messages(against(SOUND, rows(4, duration=21.0)), "rows-dropped")
    assert level is Level.ERROR


def test_null_durations_are_counted(against: Any) -> None:
    result = against(SOUND, [*rows(3), {**rows(1, duration=None)[0], "audio_filepath": "n.wav"}])
    assert messages(result, "null-durations") == [
        (Level.ERROR, "1 of 4 rows of train@0 have no duration")
    ]
    assert "null-durations" not in rules_of(against(SOUND, rows(4)))


def test_whisper_sees_thirty_seconds(against: Any) -> None:
    long = [*rows(2, duration=30.01), *[{**r, "audio_filepath": "x"} for r in rows(1)]]
    assert messages(against(ARGUMENTS, long), "clip-too-long-for-whisper") == [
        (Level.ERROR, "2 rows are longer than 30 s")
    ]
    assert "clip-too-long-for-whisper" not in rules_of(against(ARGUMENTS, rows(2, duration=30.0)))
    assert "clip-too-long-for-whisper" not in rules_of(against(SOUND, long))


def test_labels_longer_than_whisper_has_places_for(against: Any, words_tokenizer: Path) -> None:
    """A text of 449 one-letter words: 897 bytes, and with one token a word 449."""
    many = [{**row, "text": "a " * 448 + "a"} for row in rows(1)]
    fits = [{**row, "text": "a " * 447 + "a"} for row in rows(1)]
    assert messages(against(ARGUMENTS, many), "label-too-long-for-whisper") == [
        (Level.WARNING, "1 labels could have more than 448 tokens")
    ]
    counted = against(ARGUMENTS, many, tokenizer=words_tokenizer)
    assert messages(counted, "label-too-long-for-whisper") == [
        (Level.ERROR, "1 labels have more than 448 tokens")
    ]
    result = against(ARGUMENTS, fits, tokenizer=words_tokenizer)
    assert "label-too-long-for-whisper" not in rules_of(result)


@pytest.fixture
def words_tokenizer(tmp_path: Path) -> Path:
    """A tokenizer.json with a token a word, of the letters of the sentences alone."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    letters = {"<unk>": 0} | {chr(ord("a") + n): n + 1 for n in range(26)}
    made = Tokenizer(models.WordLevel(letters, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def test_clips_beyond_what_the_aligner_takes_in_one_piece(against: Any) -> None:
    long = rows(1, duration=180.5)
    assert messages(against(SOUND, long), "clip-too-long-for-aligner") == [
        (Level.WARNING, "1 rows are longer than 180 s, the longest 180 s")
    ]
    assert "clip-too-long-for-aligner" not in rules_of(against(SOUND, rows(1, duration=180.0)))


def test_the_transcript_of_a_recording_on_each_of_its_pieces(against: Any) -> None:
    piece = {"audio_filepath": "talk.wav", "duration": 5.0}
    whole = "good morning to all of you"
    repeated = [{**piece, "offset": 5.0 * n, "text": whole} for n in range(3)]
    assert messages(against(SOUND, repeated), "repeated-transcript") == [
        (Level.ERROR, f"3 pieces of 1 recordings carry the same text, as in {_first_path(against)}")
    ]
    said_twice = [{**piece, "offset": 5.0 * n, "text": "yes thank you"} for n in range(3)]
    own = [{**piece, "offset": 5.0 * n, "text": f"{whole} {spelled(n)}"} for n in range(3)]
    assert "repeated-transcript" not in rules_of(against(SOUND, said_twice))
    assert "repeated-transcript" not in rules_of(against(SOUND, own))


def _first_path(against: Any) -> str:
    workspace = against.__closure__
    assert workspace
    opened = next(c.cell_contents for c in workspace if isinstance(c.cell_contents, Workspace))
    table = opened.scan(opened.manifest("train"), ["audio_path"])
    return str(table["audio_path"][0].as_py())


LABELS = "+model.labels: [' ', a, b, c, d, e, h, i, m, n, r, s, t, u]"


def test_characters_that_labels_cannot_write(against: Any) -> None:
    """NeMo brings texts to lower case before it looks labels up, and drops what it lacks."""
    text = changed(SOUND, LABELS)
    fine = [{**row, "text": "This is an ANSWER".replace("W", "")} for row in rows(3)]
    assert "tokenizer-coverage" not in rules_of(against(text, fine))
    two = [*fine, *({**row, "text": sign} for row, sign in zip(rows(2), "שй", strict=True))]
    for number, row in enumerate(two):
        row["audio_filepath"] = f"{number}.wav"
    assert messages(against(text, two), "tokenizer-coverage") == [
        (Level.ERROR, "labels cannot write й ש: 2 transcripts")
    ]


def test_characters_that_a_sentencepiece_model_cannot_write(against: Any, tmp_path: Path) -> None:
    import sentencepiece

    texts = ["this is sentence number abcdefghij", "good morning to all of you"] * 5
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_prefix=str(tmp_path / "tokenizer"),
        model_type="char",
        vocab_size=30,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    model = tmp_path / "tokenizer.model"
    assert "tokenizer-coverage" not in rules_of(against(SOUND, rows(3), tokenizer=model))
    hebrew = [{**row, "text": "שלום"} for row in rows(1)]
    assert messages(against(SOUND, hebrew, tokenizer=model), "tokenizer-coverage") == [
        (Level.ERROR, f"{model} cannot write ו ל ם ש: 1 transcripts")
    ]


def test_a_folder_named_by_the_configuration_is_read(against: Any, tmp_path: Path) -> None:
    (tmp_path / "tok").mkdir()
    (tmp_path / "tok" / "vocab.txt").write_text("[UNK]\nthis\n##is\nsentence\nnumber\na\nb\n")
    text = changed(SOUND, f"+model.tokenizer: {{dir: {tmp_path / 'tok'}}}")
    assert "tokenizer-coverage" not in rules_of(against(text, rows(2)))
    result = against(text, [{**rows(1)[0], "text": "number 7"}])
    assert [told for _, told in messages(result, "tokenizer-coverage")] == [
        f"{tmp_path / 'tok' / 'vocab.txt'} cannot write 7: 1 transcripts"
    ]


def test_a_language_that_the_model_does_not_know(against: Any) -> None:
    hebrew = rows(3, language="he")
    assert messages(against(SOUND, hebrew), "language-unsupported") == [
        (Level.WARNING, "parakeet-tdt-0.6b-v2 does not know he (3 rows)")
    ]
    assert "language-unsupported" not in rules_of(against(SOUND, rows(3, language="en-US")))
    assert "language-unsupported" not in rules_of(against(ARGUMENTS, hebrew))
    prompted = changed(ARGUMENTS, "model_name_or_path: openai/whisper-small.en")
    [(level, _)] = messages(against(prompted, hebrew), "language-unsupported")
    assert level is Level.ERROR


def test_validation_sets_that_are_too_small_or_too_large(against: Any) -> None:
    def hours(count: int) -> list[dict[str, Any]]:
        return [
            {**row, "audio_filepath": f"v{n}.wav"}
            for n, row in enumerate(rows(count, duration=3600.0))
        ]

    small = against(SOUND, rows(2), val=hours(9))
    assert messages(small, "validation-set-small") == [(Level.WARNING, "val@0: 9.00 h, 9 clips")]
    middling = rules_of(against(SOUND, rows(2), val=hours(20)))
    assert not middling & {"validation-set-small", "validation-set-large"}
    assert messages(against(SOUND, rows(2), val=hours(51)), "validation-set-large") == [
        (Level.WARNING, "val@2: 51.0 h without a limit")
    ]
    limited = changed(SOUND, "+trainer.limit_val_batches: 5")
    assert "validation-set-large" not in rules_of(against(limited, rows(2), val=hours(51)))


@pytest.fixture
def clips(tmp_path: Path) -> list[str]:
    """Ten real files of their own lengths and sounds."""
    noise = np.random.default_rng(7)
    for number in range(10):
        samples = noise.uniform(-0.1, 0.1, 1600 + 16 * number)
        soundfile.write(tmp_path / f"clip{number}.wav", samples, 16000)
    return [f"clip{number}.wav" for number in range(10)]


def test_what_stands_on_both_sides_of_a_split(against: Any, clips: list[str]) -> None:
    every = rows(10)
    apart = against(SOUND, every[:5], val=every[5:])
    assert not rules_of(apart) & {"split-leak", "split-speaker"}
    assert apart.undecided == ()
    assert apart.exit_code() is ExitCode.OK
    shared = against(SOUND, every[:6], val=every[5:])
    assert messages(shared, "split-leak") == [
        (Level.ERROR, "audio: 1 rows of val@0 (20.0%) are in train@1 too"),
        (Level.ERROR, "text: 1 rows of val@0 (20.0%) are in train@1 too"),
    ]
    assert messages(shared, "split-speaker") == [
        (Level.WARNING, "speaker: 1 rows of val@0 (20.0%) are in train@1 too")
    ]
    assert shared.exit_code() is ExitCode.FAILED


def test_overlapping_segments_are_a_leak(against: Any, clips: list[str]) -> None:
    piece = {"audio_filepath": "clip0.wav", "duration": 0.05}
    train = [{**piece, "offset": 0.0, "text": "one two", "speaker": "a"}]
    over = [{**piece, "offset": 0.03, "text": "three four", "speaker": "b"}]
    found = messages(against(SOUND, train, val=over), "split-leak")
    assert [told.partition(":")[0] for _, told in found] == ["overlap"]
    beside = [{**piece, "offset": 0.05, "text": "three four", "speaker": "b"}]
    assert "split-leak" not in rules_of(against(SOUND, train, val=beside))


def test_a_split_that_cannot_be_compared_stays_open(against: Any) -> None:
    """No audio file is there: nothing is known of it, and that is no pass."""
    every = rows(4)
    result = against(SOUND, every[:2], val=every[2:])
    assert any("audio on both sides" in told for told in result.undecided)
    assert result.exit_code() is ExitCode.UNDECIDED


def test_paths_are_looked_up_where_the_job_runs(
    against: Any, clips: list[str], tmp_path: Path
) -> None:
    mounted = PathMap.parse([f"{tmp_path}=/data"])
    inside = changed(SOUND, "train_ds.manifest_filepath: /data/train.jsonl")
    fine = against(inside, rows(10), job=Job(mounted))
    assert "path-not-found" not in rules_of(fine)
    host = changed(SOUND, f"train_ds.manifest_filepath: {tmp_path}/train.jsonl")
    [finding] = [
        f for f in against(host, rows(10), job=Job(mounted)).standing if f.rule == "path-not-found"
    ]
    assert finding.mend == "write /data/train.jsonl"
    assert finding.level is Level.ERROR
    unmounted = changed(SOUND, "train_ds.manifest_filepath: /workspace/train.jsonl")
    assert messages(against(unmounted, rows(10), job=Job(mounted)), "path-not-found") == [
        (
            Level.ERROR,
            "model.train_ds.manifest_filepath: nothing is mounted at /workspace/train.jsonl",
        )
    ]
    gone = changed(SOUND, "train_ds.manifest_filepath: /data/other.jsonl")
    [(_, told)] = messages(against(gone, rows(10), job=Job(mounted)), "path-not-found")
    assert told.endswith("/data/other.jsonl does not exist where the job runs")


def test_audio_is_looked_up_where_the_job_runs(
    against: Any, clips: list[str], tmp_path: Path
) -> None:
    mounted = PathMap.parse([f"{tmp_path}=/data"])
    result = against(SOUND, rows(12), job=Job(mounted))
    [(level, told)] = messages(result, "path-not-found")
    assert (level, told.partition(" of the manifest")[0]) == (Level.ERROR, "2 of 12 audio files")
    assert told.endswith("as /data/clip10.wav")
    listing = tmp_path / "there.txt"
    listing.write_text("".join(f"/data/clip{n}.wav\n" for n in range(12)))
    listed = against(SOUND, rows(12), job=Job(mounted, listed_in(listing)))
    assert "path-not-found" not in rules_of(listed)
