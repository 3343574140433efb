"""What tests share: the real recordings, a fresh workspace, and the real command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from asrdq import console

if TYPE_CHECKING:
    from asrdq.scoring.scorings import Scoring
    from asrdq.workspace import ManifestVersion, Workspace

ROOT = Path(__file__).resolve().parent.parent

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

Ingest = Callable[..., "ManifestVersion"]
ScoreRows = Callable[..., "Scoring"]
RunCli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the files that take longest begin first, so that none is left alone at the end."""
    minutes: dict[Path, float] = {}
    for item in items:
        mark = item.get_closest_marker("slow")
        own = mark.kwargs.get("minutes", 0.1) if mark else 0.0
        minutes[item.path] = max(own, minutes.get(item.path, 0.0))
    items.sort(key=lambda item: -minutes[item.path])


def pytest_runtest_setup() -> None:
    """Undo what earlier tests left in the process.

    A command that was parsed and never run has named its workspace; a library that NeMo loads
    has the processor take the tiniest numbers for 0.
    """
    console.set_workspace(None)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The root folder of the source tree."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("ASRDQ_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no shared recordings at {folder} (set ASRDQ_SHARED_DATA)")
    return folder.resolve()


@pytest.fixture(scope="session")
def librispeech(shared_data: Path) -> Path:
    """A NeMo manifest of 120 real utterances with speakers; audio paths relative to it."""
    return shared_data / "librispeech" / "manifest.jsonl"


@pytest.fixture(scope="session")
def chromium() -> str:
    """A browser for looking at the report; in CI its absence is a failure."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    reason = "chromium is not installed (`make system` installs it where it can)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def sclite() -> Callable[[str], None]:
    """Run sclite with the command that goes with written files; in CI its absence is a failure."""
    program = shutil.which("sclite") or "/usr/lib/sctk/bin/sclite"
    if not Path(program).is_file():
        reason = "sclite is not installed (`make system` installs it where it can)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)

    def run(command: str) -> None:
        words = command.split()
        assert words[0] == "sclite"
        done = subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False)
        assert "Successful Completion" in done.stdout, done.stdout + done.stderr

    return run


@pytest.fixture(scope="session")
def data_samples() -> Path:
    """The folder of the sample clips that come with the project."""
    return ROOT / "data_samples"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace in a folder of its own."""
    from asrdq.workspace import Workspace

    Workspace.init(tmp_path / "workspace")
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def ingest(workspace: Workspace, tmp_path: Path) -> Ingest:
    """Ingest made-up rows as the next version of a manifest, `data` unless told."""
    from asrdq.manifests import ingest_manifest

    def take(rows: Sequence[Mapping[str, Any]], name: str = "data") -> ManifestVersion:
        file = tmp_path / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        ingest_manifest(workspace, [file], name, audio_root=tmp_path)
        return workspace.manifest(name)

    return take


@pytest.fixture
def score_rows(workspace: Workspace, ingest: Ingest, tmp_path: Path) -> ScoreRows:
    """Score made-up rows, each with `text` and `heard`: `score_rows(rows, "r1", by=["age"])`.

    Texts stay as they are unless another normaliser is named.
    """
    from asrdq.hypotheses import load_hypotheses
    from asrdq.scoring import ScorePlan, score_hypotheses
    from asrdq.scoring.scorings import newest_scoring

    def score(
        rows: Sequence[Mapping[str, Any]], hyps: str = "r1", name: str = "eval", **plan: Any
    ) -> Scoring:
        given = [
            {"id": f"u{number}", "audio_filepath": f"{number}.wav", "duration": 3.0, **row}
            for number, row in enumerate(rows)
        ]
        file = tmp_path / f"{hyps}.jsonl"
        lines = [{"utt_id": row["id"], "hypothesis": row.pop("heard")} for row in given]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        version = ingest(given, name)
        load_hypotheses(workspace, version, file, name=hyps)
        score_hypotheses(workspace, version, hyps, ScorePlan(**{"normaliser": "none", **plan}))
        return newest_scoring(workspace, hyps, name)

    return score


@pytest.fixture
def run_cli(tmp_path: Path) -> RunCli:
    """Run the real command in a process of its own: `run_cli("sql", "SELECT 1", cwd=folder)`.

    Stdout and stderr are text; `code=2` asserts the exit code (0 unless told, None for any).
    """

    def run(
        *arguments: object,
        cwd: Path | None = None,
        code: int | None = 0,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "asrdq", *map(str, arguments)],
            cwd=cwd or tmp_path,
            env={**cli_environment(), **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if code is not None:
            assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def empty_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No hub but an empty cache; a session that was opened so would stay so for other tests."""
    from huggingface_hub import constants
    from huggingface_hub.utils import reset_sessions

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    reset_sessions()
    yield
    reset_sessions()


class S3Server:
    """The server of `s3_server.py`.

    Attributes:
        url: Where it listens.
        client: A client of another library, to put and look at objects.
    """

    KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"

    def __init__(self) -> None:
        import boto3

        command = [sys.executable, str(Path(__file__).with_name("s3_server.py"))]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self.client = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.KEY,
            aws_secret_access_key=self.SECRET,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What a process has to know to use it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.KEY,
            "AWS_SECRET_ACCESS_KEY": self.SECRET,
            "AWS_REGION": "us-east-1",
        }

    def watch(self, victim: int = 0, at: int = 0) -> list[str]:
        """Kill a process at its n-th request from now on; return the access keys seen before."""
        with urllib.request.urlopen(f"{self.url}/_watch?pid={victim}&at={at}") as answer:
            keys: list[str] = json.load(answer)
        return keys

    def requests(self) -> int:
        """Return how many requests there were since this was asked last."""
        with urllib.request.urlopen(f"{self.url}/_requests") as answer:
            return int(answer.read())

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """Return the keys of all objects under a prefix."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def read(self, bucket: str, key: str) -> bytes:
        """Return the content of an object."""
        with self.client.get_object(Bucket=bucket, Key=key)["Body"] as body:
            content: bytes = body.read()
        return content

    def close(self) -> None:
        """Stop it."""
        self.client.close()
        self._process.terminate()
        self._process.communicate()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One S3 server for all tests; each has a bucket of its own."""
    server = S3Server()
    yield server
    server.close()


@pytest.fixture
def bucket(
    s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A new bucket, with the environment set so that it is found."""
    name = f"speech-{uuid.uuid4().hex[:12]}"
    s3_server.client.create_bucket(Bucket=name)
    for key in [key for key in os.environ if key.startswith("AWS_")]:
        monkeypatch.delenv(key)
    for key, value in s3_server.environment.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    return name


@pytest.fixture
def s3_workspace(bucket: str) -> Workspace:
    """An empty workspace on S3."""
    from asrdq.workspace import Workspace

    Workspace.init(f"s3://{bucket}/ws")
    return Workspace.open(f"s3://{bucket}/ws")


def cli_environment() -> dict[str, str]:
    """The environment for a command under test: this one, without what changes its output."""
    dropped = ("ASRDQ_WORKSPACE", "FORCE_COLOR", "COLUMNS", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "120"}
