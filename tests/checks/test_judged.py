"""Texts that libraries judge, and audio by its content: in a workspace, with the real parts."""

from __future__ import annotations

import io
import json
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from asrdq.audio import probe_manifest
from asrdq.checks import CheckResult, check, judges
from asrdq.checks.tokens import read_tokenizer
from asrdq.errors import UsageError

pytestmark = pytest.mark.slow

RunSuite = Callable[..., CheckResult]

ENGLISH = ["where did you put the keys", "she never told me about it", "he said he would call back"]
GERMAN = "wo hast du denn die schlüssel hingelegt"


def rows_of(texts: list[str | None], language: str | None = "en") -> list[dict[str, Any]]:
    return [
        {"id": f"u{n}", "audio_filepath": f"{n}.wav", "text": text or "", "duration": 2.0}
        | ({} if language is None else {"lang": language})
        for n, text in enumerate(texts)
    ]


@pytest.fixture
def run_one(workspace: Any, ingest: Any) -> RunSuite:
    def run(kind: str, rows: list[dict[str, Any]], **kwargs: Any) -> CheckResult:
        suite = {"name": "one", "expectations": [{"type": kind, "kwargs": kwargs}]}
        file = Path(workspace.root) / "expectations" / "one.json"
        file.write_text(json.dumps(suite), encoding="utf-8")
        return check(workspace, ingest(rows), "one")

    return run


# Languages


def test_another_language_is_found_and_short_texts_are_counted(
    workspace: Any, run_one: RunSuite
) -> None:
    texts = [*ENGLISH, GERMAN, "ja", "hm, oh, no no", "okay okay okay okay"]
    result = run_one("expect_language_of_text", rows_of(texts))
    [row] = result.checks.to_pylist()
    assert (row["success"], row["error"], row["rows"]) == (False, None, 1)
    assert row["observed"].startswith("3 of 7 rows not told: ")
    assert "2 with fewer than 10 letters" in row["observed"]
    assert "1 below the confidence 0.8" in row["observed"]
    [shown] = result.failing["value"].to_pylist()
    assert shown.startswith("de (") and shown.endswith(GERMAN)
    assert row["observed"] in result.overview()["shown"].to_pylist()[0]
    assert workspace.sql(row["query"]).arrow()["utt_id"].to_pylist() == ["u3"]


def test_a_row_without_a_known_language_fails_however_short(run_one: RunSuite) -> None:
    rows = [*rows_of(["ja"], None), {**rows_of(["oh"], "tlh")[0], "id": "x"}, *rows_of(ENGLISH[:1])]
    rows[2]["id"] = "good"
    result = run_one("expect_language_of_text", rows)
    assert result.failing["utt_id"].to_pylist() == ["u0", "x"]


def test_nothing_told_is_an_error(run_one: RunSuite) -> None:
    [row] = run_one("expect_language_of_text", rows_of(["oh", "ja", "no"])).errors
    assert row["error"] == "no row can be told: 3 with fewer than 10 letters"


@pytest.mark.slow
def test_many_texts_go_through_processes_and_come_to_the_same(
    monkeypatch: pytest.MonkeyPatch, run_one: RunSuite
) -> None:
    rows = rows_of([*ENGLISH, GERMAN, "oh", "ja"])
    alone = run_one("expect_language_of_text", rows)
    monkeypatch.setattr(judges, "_AT_ONCE", 2)
    apart = run_one("expect_language_of_text", rows)
    assert apart.failing["value"].to_pylist() == alone.failing["value"].to_pylist()
    assert apart.checks["observed"].to_pylist() == alone.checks["observed"].to_pylist()


def test_no_network_is_asked(monkeypatch: pytest.MonkeyPatch, run_one: RunSuite) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    result = run_one("expect_language_of_text", rows_of(ENGLISH), languages=["en", "fr"])
    assert result.checks["success"].to_pylist() == [True]


@pytest.mark.parametrize(
    ("kwargs", "told"),
    [
        ({"min_confidence": 0}, "above 0 and at most 1"),
        ({"min_letters": 0}, "at least 1"),
        ({"languages": ["en"]}, "languages needs two at least"),
    ],
)
def test_parameters_of_languages_that_make_no_sense(
    run_one: RunSuite, kwargs: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        run_one("expect_language_of_text", rows_of(ENGLISH), **kwargs)


def test_a_language_that_the_library_does_not_know(run_one: RunSuite) -> None:
    result = run_one("expect_language_of_text", rows_of(ENGLISH), languages=["en", "tlh"])
    assert "py3langid does not know tlh – valid: af, am" in result.errors[0]["error"]


# Tokens


def test_tokens_of_a_hugging_face_file_that_says_to_cut_texts(
    workspace: Any, run_one: RunSuite
) -> None:
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "<s>": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A <s>", None, [("<s>", 1)])
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=9)
    tokenizer.save(str(Path(workspace.root) / "tokenizer.json"))
    rows = rows_of(["one", "one two", "one two three"])
    asked = {"tokenizer": "tokenizer.json", "min_tokens": 2, "max_tokens": 2}
    result = run_one("expect_label_tokens_between", rows, **asked)
    assert result.failing["value"].to_pylist() == ["1 tokens: one", "3 tokens: one two three"]
    every = result.checks["query"].to_pylist()[0]
    assert workspace.sql(every).arrow()["utt_id"].to_pylist() == ["u0", "u2"]
    asked |= {"special_tokens": True, "min_tokens": 3, "max_tokens": 4}
    result = run_one("expect_label_tokens_between", rows, **asked)
    assert result.failing["value"].to_pylist() == ["5 tokens: one two three"]


def test_tokens_of_sentencepiece(workspace: Any, run_one: RunSuite) -> None:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*ENGLISH] * 4),
        model_writer=model,
        model_type="char",
        minloglevel=2,
        vocab_size=64,
        hard_vocab_limit=False,
    )
    (Path(workspace.root) / "chars.model").write_bytes(model.getvalue())
    rows = rows_of(["he", "he said", ""])  # ▁he; ▁he▁said; nothing
    asked = {"tokenizer": "chars.model", "min_tokens": 1, "max_tokens": 7}
    result = run_one("expect_label_tokens_between", rows, **asked)
    assert result.failing["value"].to_pylist() == ["8 tokens: he said", "0 tokens: "]


def test_characters_count_without_a_file(run_one: RunSuite) -> None:
    asked = {"tokenizer": "characters", "max_tokens": 3}
    result = run_one("expect_label_tokens_between", rows_of(["abc", "שלום"]), **asked)
    assert result.failing["value"].to_pylist() == ["4 tokens: שלום"]


@pytest.mark.parametrize(
    ("kwargs", "told"),
    [
        ({"tokenizer": "characters"}, "neither min_tokens nor max_tokens"),
        ({"tokenizer": "whisper", "max_tokens": 2}, "'whisper' is no tokenizer"),
        ({"tokenizer": "x.model", "max_tokens": 2, "special_tokens": True}, "needs a tokenizer"),
    ],
)
def test_parameters_of_tokens_that_make_no_sense(
    run_one: RunSuite, kwargs: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        run_one("expect_label_tokens_between", rows_of(ENGLISH), **kwargs)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("gone.json", None, "gone.json – the tokenizer cannot be read: No such file"),
        ("bad.json", "{}", "bad.json – holds no tokenizer: "),
        ("bad.model", "no model", "bad.model – holds no tokenizer: "),
    ],
)
def test_a_tokenizer_that_cannot_be_used_is_an_error(
    workspace: Any, run_one: RunSuite, name: str, content: str | None, told: str
) -> None:
    if content is not None:
        (Path(workspace.root) / name).write_text(content)
    asked = {"tokenizer": name, "max_tokens": 3}
    [row] = run_one("expect_label_tokens_between", rows_of(ENGLISH), **asked).errors
    assert told in row["error"]


@pytest.mark.parametrize(
    ("library", "kind", "kwargs", "extra"),
    [
        ("py3langid.langid", "expect_language_of_text", {}, "asrdq[checks]"),
        (
            *("tokenizers", "expect_label_tokens_between"),
            {"tokenizer": "any.json", "max_tokens": 3},
            "asrdq[tokenizers]",
        ),
        (
            *("sentencepiece", "expect_label_tokens_between"),
            {"tokenizer": "any.model", "max_tokens": 3},
            "asrdq[tokenizers]",
        ),
    ],
)
def test_a_library_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch,
    workspace: Any,
    run_one: RunSuite,
    library: str,
    kind: str,
    kwargs: dict[str, Any],
    extra: str,
) -> None:
    from asrdq.checks import languages

    languages._identifier.cache_clear()
    monkeypatch.setitem(sys.modules, library, None)
    for name in ("any.json", "any.model"):
        (Path(workspace.root) / name).write_text("{}")
    [row] = run_one(kind, rows_of(ENGLISH), **kwargs).errors
    assert f"pip install '{extra}'" in row["error"]


def test_tokens_are_counted_of_an_empty_list(tmp_path: Path) -> None:
    count = read_tokenizer(Path(__file__).with_name("word_tokenizer.json"))
    assert count([]) == []


# Audio by content


def copies(workspace: Any, librispeech: Path) -> list[dict[str, Any]]:
    """Two real clips, and the first one once more under another name."""
    lines = [json.loads(line) for line in librispeech.read_text().splitlines()[:2]]
    audio = Path(workspace.root) / "audio"
    audio.mkdir()
    for number, line in enumerate([*lines, lines[0]]):
        shutil.copy(librispeech.parent / line["audio_filepath"], audio / f"{number}.flac")
    known = [lines[0], lines[1], lines[0]]
    return [
        {"id": f"u{n}", "audio_filepath": f"{n}.flac", "text": "x", "duration": line["duration"]}
        for n, line in enumerate(known)
    ]


def ingest_copies(workspace: Any, name: str, rows: list[dict[str, Any]]) -> Any:
    from asrdq.manifests import ingest_manifest

    file = Path(workspace.root) / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ingest_manifest(workspace, [file], name, audio_root=Path(workspace.root) / "audio")
    return workspace.manifest(name)


def test_a_copy_under_another_name_is_the_same_audio(workspace: Any, librispeech: Path) -> None:
    rows = copies(workspace, librispeech)
    train = ingest_copies(workspace, "train", rows[:2])
    test = ingest_copies(workspace, "test", rows[2:])
    kinds = [{}, {"by": "content"}, {"by": "path"}]
    items = [
        {"type": "expect_audio_disjoint_from", "kwargs": {"manifest": "test", **each}}
        for each in kinds
    ]
    file = Path(workspace.root) / "expectations" / "apart.json"
    file.write_text(json.dumps({"name": "apart", "expectations": items}))

    def told() -> list[str | None]:
        return check(workspace, train, "apart").checks["error"].to_pylist()

    assert told() == ["train@0 was not probed: asrdq probe train"] * 2 + [None]
    probe_manifest(workspace, train, workers=1)
    assert told() == ["test@0 was not probed: asrdq probe test"] * 2 + [None]
    probe_manifest(workspace, test, workers=1)
    result = check(workspace, train, "apart")
    assert result.checks["success"].to_pylist() == [False, False, True]
    assert result.failing["utt_id"].to_pylist() == ["u0", "u0"]
    every = result.checks["query"].to_pylist()[0]
    assert workspace.sql(every).arrow()["utt_id"].to_pylist() == ["u0"]
    kept = workspace.query(
        "SELECT parameters FROM runs WHERE run_id = $run", {"run": result.run_id}
    )
    parameters = json.loads(kept["parameters"].to_pylist()[0])
    assert parameters["others"] == {"test": {"version": 0, "fingerprint": test.fingerprint}}


def test_audio_that_was_not_decoded_is_no_proof_of_being_disjoint(
    workspace: Any, librispeech: Path
) -> None:
    rows = copies(workspace, librispeech)
    train = ingest_copies(workspace, "train", [rows[0], {**rows[1], "audio_filepath": "gone.flac"}])
    test = ingest_copies(workspace, "test", [rows[1], {**rows[2], "audio_filepath": "lost.flac"}])
    suite = {"expectations": [{"type": "expect_audio_disjoint_from", "kwargs": {}}]}
    for other, subject in (("test", train), ("train", test)):
        probe_manifest(workspace, subject, workers=1)
        suite["expectations"][0]["kwargs"] = {"manifest": other}
        file = Path(workspace.root) / "expectations" / f"not_in_{other}.json"
        file.write_text(json.dumps(suite))
    [row] = check(workspace, train, "not_in_test").errors
    assert row["error"] == "test@0 has 1 rows without audio that could be decoded"


def test_audio_is_compared_in_a_known_way(run_one: RunSuite) -> None:
    with pytest.raises(UsageError, match="unknown way to compare audio 'sound'"):
        run_one("expect_audio_disjoint_from", rows_of(ENGLISH), manifest="test", by="sound")
