"""The image: its steps replayed in a clean folder, without a network and without torch."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ci.conftest import OFFLINE, FillSite
from tests.ci.image import Image, build, ignored, steps


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may pass through, as those of other tests are not."""
    folder = Path(tempfile.mkdtemp(prefix="image-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def image(project_root: Path, open_folder: Path, fill_site: FillSite) -> Image:
    python = open_folder / "python"
    subprocess.run([sys.executable, "-m", "venv", "--copies", python], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    fill_site(python / "lib" / version / "site-packages")
    environment = {"PATH": f"{python}/bin:/usr/bin:/bin", **OFFLINE}
    return build(project_root, open_folder / "root", environment)


def test_it_begins_with_a_slim_python_and_ends_without_rights(project_root: Path) -> None:
    found = list(steps(project_root / "Dockerfile"))
    [base] = [rest for name, rest in found if name == "FROM"]
    assert re.fullmatch(r"python:3\.1[123]-slim", base)
    names = [name for name, _ in found]
    [user] = [rest for name, rest in found if name == "USER"]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert names.index("USER") > max(n for n, name in enumerate(names) if name in ("RUN", "COPY"))
    [installs] = [rest for name, rest in found if name == "RUN"]
    assert installs.startswith("pip install -c constraints.txt ")
    assert "://" not in (project_root / "Dockerfile").read_text(encoding="utf-8")


def test_the_builder_is_sent_nothing_but_the_package(project_root: Path) -> None:
    text = (project_root / ".dockerignore").read_text(encoding="utf-8")
    patterns = [line for line in text.splitlines() if line and not line.startswith("#")]
    sent = {
        name: not ignored(project_root / name, project_root, patterns)
        for name in (
            *("src/asrdq/cli/app.py", "pyproject.toml", "policies/default.yaml"),
            *(".git/config", ".venv/bin/python", "tests/conftest.py", "reports/sample.html"),
            *("src/asrdq/__pycache__/errors.cpython-311.pyc", "id_rsa"),
        )
    }
    assert list(sent.values()) == [True] * 3 + [False] * 6


@pytest.mark.slow
def test_the_image_checks_and_gates_as_its_user(image: Image, data_samples: Path) -> None:
    assert (image.user, image.users) == ("10001:10001", [""])
    assert "Start with" in image.run().stdout
    assert image.run("--version").stdout.startswith("asrdq ")
    packages = subprocess.run(
        ["pip", "list", "--format=json"], env=image.environment, capture_output=True, check=True
    )
    names = {item["name"].lower().replace("_", "-") for item in json.loads(packages.stdout)}
    assert {"asrdq", "great-expectations", "cryptography", "fsspec"} <= names
    assert not names & {"torch", "pytest", "ruff", "mypy"}
    shutil.copytree(data_samples, image.folder / "data")
    image.folder.chmod(0o777)
    assert image.run("init", "ws").returncode == 0
    ingested = image.run("ingest", "data/manifest.jsonl", "--name", "train", "-w", "ws")
    assert ingested.returncode == 0, ingested.stderr
    checked = image.run("check", "train", "--format", "json", "-w", "ws")
    assert checked.returncode in (0, 1), checked.stderr
    assert json.loads(checked.stdout)["manifest"] == "train@0"
    gated = image.run("gate", "train", "--format", "junit", "-w", "ws")
    assert (gated.returncode, ET.fromstring(gated.stdout).tag) == (4, "testsuites")


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become the user of the image")
def test_the_user_of_the_image_cannot_change_what_it_runs(image: Image) -> None:
    refused = image.run("init", str(image.root / "opt"))
    assert refused.returncode == 3
    assert not (image.root / "opt" / "asrdq.yaml").exists()
