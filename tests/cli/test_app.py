"""The command line finds verbs lazily and turns every outcome into the documented exit code."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from asrdq.cli import app
from asrdq.cli.failures import asked_format
from asrdq.cli.verbs import VERBS, new_group, sub_verbs
from asrdq.errors import DataError, ExitCode, Problem, ToolError, UndecidedError, UsageError

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]

HEAVY = (
    *("torch", "great_expectations", "pandas", "ray", "pyarrow", "duckdb", "polars", "numpy"),
    *("sklearn", "scipy", "av", "pocketsphinx", "soundfile", "deltalake", "nltk", "jinja2"),
)

LOADED = f"""
import sys
from asrdq.cli.app import run
code = run(sys.argv[1:])
print("LOADED", sorted(name for name in {HEAVY!r} if name in sys.modules), code)
"""


def heavy_modules_after(*arguments: str) -> str:
    """Run a command in a fresh interpreter; return the heavy modules loaded and the exit code."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.rsplit("LOADED ", 1)[1].strip()


def test_help_loads_nothing_heavy() -> None:
    assert heavy_modules_after("--help") == "[] 0"


def test_help_of_a_verb_loads_nothing_heavy() -> None:
    """All verbs in one process: what one of them loads is there after it."""
    codes = f"code = {{run([verb, '--help']) for verb in {list(VERBS)!r}}}"
    program = LOADED.replace("code = run(sys.argv[1:])", codes)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("Usage: asrdq ") == len(VERBS)
    assert done.stdout.rsplit("LOADED ", 1)[1].strip() == "[] {0}"


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = f"import asrdq, sys; print([n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_import_guard_sees_a_heavy_import() -> None:
    program = LOADED.replace("code = run", "import numpy; code = run")
    done = subprocess.run(
        [sys.executable, "-c", program, "--version"], capture_output=True, text=True, check=True
    )
    assert "['numpy'] 0" in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_explains_itself_with_an_example(verb: str, run_cli: RunCli) -> None:
    usage, explanation = run_cli(verb, "--help").stdout.strip().split("\n", 1)
    assert f"asrdq {verb}" in usage
    assert f"asrdq {verb}" in explanation


SUB_VERBS = [(verb, sub) for verb in VERBS for sub in sub_verbs(VERBS[verb].load())]


@pytest.mark.parametrize(("verb", "sub"), SUB_VERBS)
def test_each_sub_verb_explains_itself_with_an_example(
    verb: str, sub: str, run_cli: RunCli
) -> None:
    usage, explanation = run_cli(verb, sub, "--help").stdout.strip().split("\n", 1)
    assert f"asrdq {verb} {sub}" in usage
    assert f"asrdq {verb} {sub}" in explanation
    assert heavy_modules_after(verb, sub, "--help") == "[] 0"


def test_an_unknown_sub_verb_names_the_nearest(capfd: pytest.CaptureFixture[str]) -> None:
    assert app.run(["policy", "lnt"]) == ExitCode.USAGE
    assert "Did you mean 'lint'?" in capfd.readouterr().err


def test_unknown_verb_names_the_nearest(capfd: pytest.CaptureFixture[str]) -> None:
    assert app.run(["adit"]) == ExitCode.USAGE
    assert "did you mean 'audit'?" in capfd.readouterr().err


def test_unknown_option_is_wrong_usage(capfd: pytest.CaptureFixture[str]) -> None:
    assert app.run(["--fromat", "json"]) == ExitCode.USAGE
    assert "--fromat" in capfd.readouterr().err


def test_no_arguments_show_the_help_page(capfd: pytest.CaptureFixture[str]) -> None:
    assert app.run([]) == ExitCode.USAGE
    assert "audit" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("error", "code"),
    [(DataError, 1), (UsageError, 2), (ToolError, 3), (UndecidedError, 4)],
)
def test_errors_become_exit_codes_in_every_format(
    error: type[DataError],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    problem = Problem("no [field] 'x'", "train.jsonl", 7)

    def fail(verb: object) -> object:
        raise error("it is wrong", where="train.jsonl", hint="do this", problems=[problem])

    monkeypatch.setattr("asrdq.cli.verbs.Verb.load", fail)
    assert app.run(["gate", "train"]) == code
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "error: train.jsonl: it is wrong",
        "  train.jsonl:7: no [field] 'x'",
        "→ do this",
    ]
    assert app.run(["gate", "train", "--format", "json"]) == code
    document = json.loads(capfd.readouterr().out)
    assert document["schema_version"] == 1
    assert document["error"] == {
        "kind": error.__name__,
        "message": "it is wrong",
        "where": "train.jsonl",
        "hint": "do this",
        "problems": [{"message": "no [field] 'x'", "file": "train.jsonl", "line": 7}],
        "exit_code": code,
    }


def test_a_bug_leaves_one_line_and_a_log(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fail(verb: object) -> object:
        raise ZeroDivisionError("oh no")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("asrdq.cli.verbs.Verb.load", fail)
    assert app.run(["gate"]) == ExitCode.TOOL
    said = capfd.readouterr().err
    assert "Traceback" not in said
    (log,) = tmp_path.glob("asrdq-crash-*.log")
    assert str(log) in said
    assert "ZeroDivisionError: oh no" in log.read_text(encoding="utf-8")


def test_ctrl_c_is_told_and_leaves_130(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupt(verb: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("asrdq.cli.verbs.Verb.load", interrupt)
    assert app.run(["gate"]) == app.INTERRUPTED
    assert "run the same command again" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["gate", "--format", "json"], "json"),
        (["gate", "--format=json"], "json"),
        (["ingest", "--json"], "json"),
        (["sql", "-f", "json"], "json"),
        (["sql", "-fjson"], "json"),
        (["gate", "-f", "junit"], "junit"),
        (["gate", "--format=sarif"], "sarif"),
        (["gate", "--format", "github"], "github"),
        (["sql", "--format", "csv"], None),
        (["sql", "json"], None),
        (["gate", "train"], None),
    ],
)
def test_errors_are_documents_where_a_machine_format_was_asked_for(
    arguments: list[str], wanted: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    assert asked_format(arguments) == wanted


def test_a_gate_on_github_tells_its_errors_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert asked_format(["gate", "train"]) == "github"
    assert asked_format(["gate", "train", "-f", "table"]) is None
    assert asked_format(["manifests"]) is None


@pytest.mark.parametrize("before", [True, False])
def test_the_workspace_is_named_before_or_after_the_verb(
    before: bool, run_cli: RunCli, tmp_path: Path
) -> None:
    named, verb = ["--workspace", tmp_path / "elsewhere"], ["manifests"]
    done = run_cli(*(named + verb if before else verb + named), code=ExitCode.USAGE)
    assert str(tmp_path / "elsewhere") in done.stderr
    assert "asrdq init" in done.stderr


@pytest.mark.parametrize("after", [True, False])
def test_the_next_command_runs_where_it_is_suggested(
    after: bool, run_cli: RunCli, tmp_path: Path
) -> None:
    run_cli("init", "my data")
    (tmp_path / "rows.jsonl").write_text(
        '{"audio_filepath": "a.wav", "duration": 1.0, "text": "one"}\n', encoding="utf-8"
    )
    verb, named = ["ingest", "rows.jsonl", "--name", "train"], ["-w", "my data"]
    told = run_cli(*(verb + named if after else named + verb)).stderr
    [advice] = [line for line in told.splitlines() if line.startswith("next: ")]
    words = shlex.split(advice.removeprefix("next: "), comments=True)
    assert words[:4] == ["asrdq", "-w", "my data", "probe"]
    assert "train@0" in run_cli(*words[1:], code=None).stdout


def test_the_workspace_before_the_verb_reaches_a_sub_verb(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    group = new_group()
    group.callback()(lambda: None)

    @group.command("show")
    def show(workspace: str = ".") -> None:
        print(f"in {workspace}")

    monkeypatch.setattr("asrdq.cli.policy.policy", group)
    assert app.run(["-w", "there", "policy", "show"]) == ExitCode.OK
    assert app.run(["policy", "show", "--workspace", "here"]) == ExitCode.OK
    assert capfd.readouterr().out == "in there\nin here\n"


def test_a_wrong_choice_names_the_valid_ones(run_cli: RunCli) -> None:
    done = run_cli("manifests", "--format", "xml", code=ExitCode.USAGE)
    assert "'xml' is not one of 'table', 'json', 'csv', 'markdown'" in done.stderr
    assert "asrdq manifests --help" in done.stderr


def test_version(run_cli: RunCli) -> None:
    assert run_cli("--version").stdout.startswith("asrdq ")


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    program = (
        "import asrdq.cli.verbs as v, typer\n"
        "from asrdq.cli.app import main\n"
        "def many() -> None:\n"
        "    for _ in range(200_000): print('row')\n"
        "app = typer.Typer(); app.command('sql')(many)\n"
        "v.Verb.load = lambda self: typer.main.get_command(app)\n"
        "main(['sql'])\n"
    )
    script = tmp_path / "many.py"
    script.write_text(program, encoding="utf-8")
    shell = f"{sys.executable} {script} | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["row", "141"]
    assert done.stderr == ""


def test_the_workspace_before_the_verb_is_where_init_makes_it(
    run_cli: RunCli, tmp_path: Path
) -> None:
    run_cli("-w", "new", "init", cwd=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert (tmp_path / "new" / "asrdq.yaml").is_file()
