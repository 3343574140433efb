"""What `make` needs from the machine is found, or its lack is said clearly."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

RunScript = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run_script(project_root: Path, tmp_path: Path) -> RunScript:
    """Run a script of `tools/` on a machine that has only the commands named."""

    def run(
        script: str, *arguments: str, has: tuple[str, ...] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        for name in has:
            (tmp_path / name).symlink_to(str(shutil.which(name)))
        kept = {name: value for name, value in os.environ.items() if name != "CI"}
        return subprocess.run(
            ["/bin/sh", project_root / "tools" / script, *arguments],
            env={**kept, "PATH": str(tmp_path), **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_machine_without_python_is_told_so(run_script: RunScript) -> None:
    done = run_script("create_venv.sh", "unused")
    assert done.returncode == 3
    assert "needs Python 3.11, 3.12 or 3.13" in done.stderr


def test_a_python_of_another_version_is_not_taken(run_script: RunScript, tmp_path: Path) -> None:
    (tmp_path / "python2").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (tmp_path / "python2").chmod(0o755)
    done = run_script("create_venv.sh", "unused", PYTHON="python2")
    assert done.returncode == 3
    assert "set PYTHON" in done.stderr


def test_a_python_without_venv_names_the_package(run_script: RunScript, tmp_path: Path) -> None:
    imports_fail = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\n'
    (tmp_path / "python3").write_text(imports_fail, encoding="utf-8")
    (tmp_path / "python3").chmod(0o755)
    done = run_script("create_venv.sh", "unused")
    assert done.returncode == 3
    assert "python3-venv" in done.stderr


def test_packages_that_are_there_need_nothing(run_script: RunScript) -> None:
    done = run_script("system_packages.sh", "env", has=("env",))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_a_missing_package_is_named_and_fails_in_ci(
    ci: str, code: int, run_script: RunScript
) -> None:
    done = run_script("system_packages.sh", "no-such-tool", has=("id",), CI=ci)
    assert done.returncode == code
    assert "missing system packages: no-such-tool" in done.stderr
