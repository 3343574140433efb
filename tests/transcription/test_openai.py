"""Clips are uploaded to a real server, and what it does wrong is borne."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from transcription_server import Reply, TranscriptionServer, Upload, heard

from asrdq.errors import ToolError, UsageError
from asrdq.transcription import TranscriberOptions, TranscriptionPlan, transcribe
from asrdq.transcription.result import TranscriptionResult
from asrdq.workspace import ManifestVersion, Workspace

pytestmark = pytest.mark.slow

KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def ask(
    workspace: Workspace,
    manifest: ManifestVersion,
    server: TranscriptionServer,
    name: str | None = "r1",
    **options: Any,
) -> TranscriptionResult:
    given = {"timeout_s": 30.0, "concurrency": 2, **options}
    plan = TranscriptionPlan(TranscriberOptions("openai", server.url, **given), name)
    return transcribe(workspace, manifest, plan, workers=1)


def test_uploads(
    workspace: Workspace,
    tones: Any,
    server: TranscriptionServer,
    texts: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    result = ask(workspace, tones(1, 2.5, lang="fr"), server, None)
    assert texts("whisper-small") == {"t1": "1 s at 16000", "t2.5": "2.5 s at 16000"}
    assert result.transcriber == f"openai:{server.url} whisper-small"
    for upload in server.uploads:
        assert upload.fields["model"] == "whisper-small"
        assert upload.fields["language"] == "fr"
        assert upload.file[:2] == ("clip.flac", "audio/flac")
        assert upload.headers["authorization"] == f"Bearer {KEY}"
    row = workspace.read("hypotheses").to_pylist()[0]
    assert (row["transcriber"], row["transcriber_version"]) == (
        f"openai:{server.url}",
        "whisper-small",
    )


def test_the_key_is_never_stored(
    workspace: Workspace, tones: Any, server: TranscriptionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    server.reply = lambda upload: Reply(400, {"error": {"message": f"bad key {KEY}"}})
    result = ask(workspace, tones(1), server, key_env="MY_KEY")
    assert server.uploads[0].headers["authorization"] == f"Bearer {KEY}"
    assert "bad key ***" in result.failures["detail"][0].as_py()
    for table in ("runs", "transcription_failures"):
        assert KEY not in str(workspace.read(table).to_pylist())


@pytest.mark.slow
def test_a_key_of_another_variable_is_not_sent(
    workspace: Workspace, tones: Any, server: TranscriptionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    ask(workspace, tones(1), server, key_env="MY_KEY")
    assert KEY not in str(server.uploads[0].headers)


def test_as_many_requests_at_once_as_may_be(
    workspace: Workspace, tones: Any, server: TranscriptionServer
) -> None:
    together = threading.Barrier(2)

    def reply(upload: Upload) -> Reply:
        together.wait(30.0)  # breaks where requests come one after the other
        return heard(upload)

    server.reply = reply
    assert ask(workspace, tones(*range(1, 7)), server, retries=0).transcribed == 6
    assert server.most_at_once == 2


@pytest.mark.slow
def test_retry_after_is_heeded(
    workspace: Workspace, tones: Any, server: TranscriptionServer
) -> None:
    def reply(upload: Upload) -> Reply:
        wait = Reply(429, {"error": {"message": "slow down"}}, {"Retry-After": "1.2"})
        return wait if upload.attempt == 1 else heard(upload)

    server.reply = reply
    assert ask(workspace, tones(1), server).transcribed == 1
    first, second = server.uploads
    assert second.came - first.came >= 1.2  # its own first pause is 0.5 s at most


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [Reply(500, {}), Reply(503, b"<html>busy"), Reply(drop=True)],
    ids=["500", "503", "drop"],
)
def test_what_passes_is_tried_again(
    workspace: Workspace, tones: Any, server: TranscriptionServer, texts: Any, fault: Reply
) -> None:
    server.reply = lambda upload: fault if upload.attempt == 1 else heard(upload)
    ask(workspace, tones(1), server)
    assert texts("r1") == {"t1": "1 s at 16000"}
    assert len(server.uploads) == 2


GARBAGE = {
    "html": Reply(200, b"<html>hello</html>", {"Content-Type": "text/html"}),
    "other json": Reply(200, {"words": []}),
    "text is no text": Reply(200, {"text": 7}),
    "a list": Reply(200, ["text"]),
    "broken json": Reply(200, b'{"text": "cut'),
    "null": Reply(200, None),
    "not utf-8": Reply(200, b'{"text": "\xff\xfe"}'),
}


@pytest.mark.slow
@pytest.mark.parametrize("reply", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_no_hypothesis(
    workspace: Workspace,
    tones: Any,
    server: TranscriptionServer,
    texts: Any,
    failures: Any,
    reply: Reply,
) -> None:
    server.reply = lambda upload: reply if upload.seconds == 2 else heard(upload)
    ask(workspace, tones(1, 2), server, retries=0)
    assert texts("r1") == {"t1": "1 s at 16000"}
    assert failures("r1") == {"t2": "server_failed"}


def test_half_a_character_costs_its_clip_alone(
    workspace: Workspace, tones: Any, server: TranscriptionServer, texts: Any, failures: Any
) -> None:
    half = Reply(body=b'{"text": "half \\ud800 of it"}')
    server.reply = lambda upload: half if upload.seconds == 2 else heard(upload)
    ask(workspace, tones(1, 2), server)
    assert texts("r1") == {"t1": "1 s at 16000"}
    assert failures("r1") == {"t2": "transcriber_failed"}


def test_an_empty_text_is_a_hypothesis(
    workspace: Workspace, tones: Any, server: TranscriptionServer, texts: Any
) -> None:
    server.reply = lambda upload: Reply(body={"text": ""})
    assert ask(workspace, tones(1), server).transcribed == 1
    assert texts("r1") == {"t1": ""}


@pytest.mark.slow
def test_time_outs(
    workspace: Workspace, tones: Any, server: TranscriptionServer, failures: Any
) -> None:
    over = threading.Event()

    def reply(upload: Upload) -> Reply:
        if upload.seconds == 2:
            over.wait(30.0)
        return heard(upload)

    server.reply = reply
    try:
        result = ask(workspace, tones(1, 2), server, retries=1, timeout_s=0.5)
    finally:
        over.set()
    assert failures("r1") == {"t2": "server_failed"}
    assert "timed out" in result.failures["detail"][0].as_py()
    assert [upload.attempt for upload in server.uploads if upload.seconds == 2] == [1, 2]


@pytest.mark.slow
@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_what_will_not_get_better_is_not_tried_again(
    workspace: Workspace, tones: Any, server: TranscriptionServer, failures: Any, status: int
) -> None:
    refusal = Reply(status, {"error": {"message": "not this one"}})
    server.reply = lambda upload: refusal if upload.seconds == 2 else heard(upload)
    result = ask(workspace, tones(1, 2, 3), server)
    assert len(server.uploads) == 3
    assert failures("r1") == {"t2": "refused_by_server"}
    assert result.transcribed == 2
    assert "not this one" in result.failures["detail"][0].as_py()


def test_the_same_command_asks_for_what_is_left(
    workspace: Workspace, tones: Any, server: TranscriptionServer, texts: Any
) -> None:
    manifest = tones(1, 2, 3)
    server.reply = lambda upload: Reply(500, {}) if upload.seconds == 2 else heard(upload)
    assert ask(workspace, manifest, server, retries=0).transcribed == 2
    server.uploads.clear()
    server.reply = heard
    result = ask(workspace, manifest, server)
    assert [upload.seconds for upload in server.uploads] == [2.0]
    assert (result.cached, result.transcribed, result.reasons) == (2, 3, {})
    assert len(texts("r1")) == 3


def test_another_round_is_never_answered_from_the_cache(
    workspace: Workspace, tones: Any, server: TranscriptionServer, texts: Any
) -> None:
    manifest = tones(1)
    ask(workspace, manifest, server, "r1")
    server.reply = lambda upload: Reply(body={"text": "other weights"})
    ask(workspace, manifest, server, "r2")
    assert (texts("r1"), texts("r2")) == ({"t1": "1 s at 16000"}, {"t1": "other weights"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "MY_KEY"), (403, "MY_KEY"), (404, "are the address"), (405, "are the address")],
)
def test_what_all_clips_would_get_stops_the_command(
    workspace: Workspace,
    tones: Any,
    server: TranscriptionServer,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    said: str,
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    server.reply = lambda upload: Reply(status, {"error": {"message": f"no: {KEY}"}})
    with pytest.raises(ToolError, match="the server refuses") as caught:
        ask(workspace, tones(1, 2, 3, 4, 5), server, key_env="MY_KEY", concurrency=1)
    assert said in str(caught.value) and KEY not in str(caught.value)
    assert len(server.uploads) < 5
    states = workspace.query("SELECT state FROM runs WHERE command = 'transcribe'")
    assert states["state"].to_pylist() == ["failed"]


@pytest.mark.slow
def test_a_server_that_fails_all_the_time_is_given_up(
    workspace: Workspace, tones: Any, server: TranscriptionServer, texts: Any
) -> None:
    manifest = tones(*(n / 4 for n in range(1, 21)))
    good = 3

    def reply(upload: Upload) -> Reply:
        return heard(upload) if len(server.uploads) <= good else Reply(502, {})

    server.reply = reply
    with pytest.raises(ToolError, match=r"failed 10 times in a row: .*502"):
        ask(workspace, manifest, server, concurrency=1, retries=0)
    assert len(server.uploads) <= good + 12
    assert len(texts("r1")) == good
    server.reply = heard
    assert ask(workspace, manifest, server).cached == good


def test_a_server_that_is_not_there(workspace: Workspace, tones: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        options = TranscriberOptions("openai", url, "m", retries=0)
        with pytest.raises(ToolError, match="the server does not answer"):
            transcribe(workspace, tones(1), TranscriptionPlan(options))
    assert not workspace.table_exists("hypotheses")


def test_models(workspace: Workspace, tones: Any, server: TranscriptionServer) -> None:
    manifest = tones(1)
    server.models = ["whisper-small", "whisper-large"]
    with pytest.raises(UsageError, match="it has: whisper-small, whisper-large"):
        ask(workspace, manifest, server)
    with pytest.raises(UsageError, match="did you mean 'whisper-large'"):
        ask(workspace, manifest, server, model="whisper-lage")
    assert server.uploads == []
    server.models = None
    with pytest.raises(UsageError, match="which model"):
        ask(workspace, manifest, server)
    ask(workspace, manifest, server, model="unlisted")
    assert server.uploads[0].fields["model"] == "unlisted"
    server.models, server.models_status = ["x"], 401
    with pytest.raises(ToolError, match="the server refuses"):
        ask(workspace, manifest, server, "r3", model="x")


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "127.0.0.1:8000",
        "ftp://host/v1",
        "http://",
        "http://me:pw@host/v1",
        "http://h/v1?key=x",
    ],
)
def test_addresses(workspace: Workspace, tones: Any, address: str | None) -> None:
    options = TranscriberOptions("openai", address, "m")
    with pytest.raises(UsageError, match="address of a server") as caught:
        transcribe(workspace, tones(1), TranscriptionPlan(options))
    assert "pw" not in str(caught.value)


@pytest.mark.slow
def test_through_the_command(
    run_cli: Any, tones: Any, workspace: Workspace, server: TranscriptionServer, tmp_path: Path
) -> None:
    tones(1, 2)
    folder = Path(str(workspace.root))
    words = ("transcribe", "eval", "--with", f"openai:{server.url}", "--name", "r1")
    done = run_cli(*words, "--model", "whisper-small", cwd=folder)
    assert "r1: 2 of 2 clips of eval@0 transcribed" in done.stdout
    assert "asrdq score eval --hyps r1" in done.stderr
    server.reply = lambda upload: Reply(401, {"error": {"message": f"wrong: {KEY}"}})
    refused = run_cli(*words[:-1], "r2", cwd=folder, code=3, env={"OPENAI_API_KEY": KEY})
    assert KEY not in refused.stdout + refused.stderr
    assert "OPENAI_API_KEY" in refused.stderr
