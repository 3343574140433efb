"""What the documentation says is true: commands parse, links lead somewhere, pages are fresh."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from asrdq.audit.tables import AUDITS
from asrdq.cli.verbs import VERBS, sub_verbs
from asrdq.manifests.rejects import RejectReason
from asrdq.recipes.recipe import Recipe
from asrdq.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
GLOBS = ("*.md", "docs/**/*.md", "data_samples/*.md")
PAGES = sorted(page for glob in GLOBS for page in ROOT.glob(glob))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def commands(page: Path) -> Iterator[str]:
    """Yield the `asrdq …` lines of a page's shell blocks, comments removed."""
    for language, block in FENCE.findall(page.read_text(encoding="utf-8")):
        if language in ("sh", "bash", "console"):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line.removeprefix("$ "), comments=True)
                if words[:1] == ["asrdq"]:
                    yield shlex.join(words)


def documented() -> list[str]:
    return sorted({command for page in PAGES for command in commands(page)})


@pytest.mark.parametrize("command", documented())
def test_every_documented_command_parses(command: str) -> None:
    _, *words = shlex.split(command)
    words = list(before_pipe(words))
    while words and words[0] in ("--quiet", "-q", "--version"):
        words = words[1:]
    if words:
        name, *words = words
        command = VERBS[name].load()
        if words and words[0] in (subs := sub_verbs(command)):
            command, name, *words = subs[words[0]], *words
        command.make_context(name, words)


def before_pipe(words: list[str]) -> Iterator[str]:
    for word in words:
        if word in ("|", "||", ">", "&&"):
            return
        yield word


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [body for language, body in FENCE.findall(README.read_text()) if language == "python"]
    assert len(blocks) == 1
    monkeypatch.chdir(tmp_path)
    Workspace.init("my-data")
    rows = [
        {"utt_id": "a", "coverage": 0.2, "reasons": ["low_text_coverage"], "low_quality": True},
        {"utt_id": "b", "coverage": 0.9, "reasons": [], "low_quality": False},
    ]
    Workspace.open("my-data").append("audits", pa.Table.from_pylist(rows, schema=AUDITS))
    names: dict[str, Any] = {}
    exec(blocks[0], names)
    assert names["table"]["utt_id"].to_pylist() == ["a"]


def test_the_page_of_ingest_names_every_reason_for_a_reject() -> None:
    page = (ROOT / "docs" / "verbs" / "ingest.md").read_text(encoding="utf-8")
    assert set(RejectReason) <= set(re.findall(r"`(\w+)`", page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_to_files(page: Path) -> None:
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    missing = [
        target
        for target in LINK.findall(prose)
        if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists()
    ]
    assert missing == []


def test_the_navigation_has_every_page() -> None:
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r"[\w/-]+\.md", nav.split("nav:")[1]))
    pages = {str(page.relative_to(ROOT / "docs")) for page in ROOT.glob("docs/**/*.md")}
    assert listed == pages


def test_every_verb_has_a_page() -> None:
    assert {page.stem for page in (ROOT / "docs" / "verbs").glob("*.md")} == set(VERBS)


@pytest.mark.parametrize("name", ["make_cli_reference.py", "make_policy_schema.py"])
def test_what_is_made_from_the_code_is_fresh(name: str) -> None:
    script = ROOT / "tools" / name
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_table_of_the_rules_of_the_lint_is_fresh() -> None:
    script = ROOT / "tools" / "make_lint_rules.py"
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_command_line_reference_shows_the_shape_of_values() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert "`--share STRATUM=0.4`" in page
    assert "\nasrdq ingest PATH… [OPTIONS]\n" in page
    assert "\nasrdq init [DIR] [OPTIONS]\n" in page


def test_the_makefile_explains_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.M)
    assert phony
    said = subprocess.run(["make", "-C", ROOT], capture_output=True, text=True, check=True).stdout
    assert [line.split()[1] for line in said.splitlines() if line.startswith("  make")] != []
    for target in phony[1].split():
        assert f"make {target} " in said


def test_claims_of_the_benchmarks_name_scripts_that_exist() -> None:
    claims = yaml.safe_load((ROOT / "benchmarks" / "claims.yaml").read_text(encoding="utf-8"))
    for claim in claims:
        assert (ROOT / "benchmarks" / claim["script"]).is_file()
        assert {"at_least", "at_most"} & set(claim)


def test_the_page_of_nemo_says_what_becomes_of_each_key_of_a_recipe() -> None:
    page = (ROOT / "docs" / "nemo.md").read_text(encoding="utf-8")
    [rows] = re.findall(r"^\| key \|.*?(?=\n\n)", page, re.M | re.S)
    firsts = [row.split("|")[1] for row in rows.splitlines()]
    told = {name for first in firsts for name in re.findall(r"`([\w.]+)`", first)}
    keys = set()
    for name, field in Recipe.model_fields.items():
        inner = (
            {} if name in ("budget", "stated") else getattr(field.annotation, "model_fields", {})
        )
        keys |= {f"{name}.{key}" for key in inner} or {name}
    assert told == keys - {"name", "extends", "description", "backend"}
