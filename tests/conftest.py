"""What tests share: the real recordings, a fresh workspace, and the real command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]


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


def cli_environment() -> dict[str, str]:
    """The environment for a command under test: this one, without what changes its output."""
    dropped = ("ASRDQ_WORKSPACE", "FORCE_COLOR", "COLUMNS", "GITHUB_ACTIONS")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "120"}
