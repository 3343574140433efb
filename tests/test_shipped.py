"""Files that come along are found in the source tree and in a built wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from asrdq import shipped
from asrdq.errors import ToolError, UsageError

FOLDERS = ("policies", "expectations", "recipes", "hardware", "data_samples")


def test_a_file_of_the_source_tree(project_root: Path) -> None:
    found = shipped.shipped_file("expectations", "asr_manifest.json")
    assert found == project_root / "expectations" / "asr_manifest.json"


def test_an_unknown_file_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'asr_manifest\.json'"):
        shipped.shipped_file("expectations", "asr_manifest.jsn")


def test_a_missing_folder_is_a_broken_installation() -> None:
    with pytest.raises(ToolError, match="'recipees' is missing"):
        shipped.shipped_folder("recipees")


@pytest.mark.slow
def test_the_wheel_holds_every_shipped_file(project_root: Path, tmp_path: Path) -> None:
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*build, "--wheel-dir", tmp_path, project_root], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    wanted = {
        f"asrdq/_shipped/{file.relative_to(project_root)}"
        for folder in FOLDERS
        for file in (project_root / folder).rglob("*")
        if file.is_file()
    }
    assert wanted <= held
    assert len(wanted) > 80
    assert "asrdq/py.typed" in held


@pytest.mark.slow
def test_an_installed_package_finds_its_own_copy(tmp_path: Path) -> None:
    package = tmp_path / "asrdq"
    (package / "_shipped" / "policies").mkdir(parents=True)
    (package / "_shipped" / "policies" / "default.yaml").write_text("{}\n", encoding="utf-8")
    for name in ("__init__", "shipped", "errors", "version"):
        source = Path(shipped.__file__).with_name(f"{name}.py")
        (package / f"{name}.py").write_bytes(source.read_bytes())
    program = (
        "from asrdq.shipped import shipped_file; print(shipped_file('policies','default.yaml'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == package / "_shipped" / "policies" / "default.yaml"
