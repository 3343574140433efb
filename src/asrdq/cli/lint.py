"""`asrdq lint`: the field's expensive mistakes, found in a configuration before the run."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asrdq import console
from asrdq.cli.options import WorkspaceOption
from asrdq.cli.output import Format, render
from asrdq.cli.workspaces import workspace_if_any
from asrdq.errors import ExitCode, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.linting import Around, Config, Job, LintResult
    from asrdq.workspace import Workspace

LintFormat = Literal["table", "json", "github", "sarif"]


def lint(
    configs: Annotated[
        list[str] | None,
        typer.Argument(metavar="CONFIG…", help="Files (YAML, JSON, Python), or names of recipes."),
    ] = None,
    manifest: Annotated[
        str | None, typer.Option("--manifest", "-m", help="The manifest that it trains on.")
    ] = None,
    val: Annotated[
        str | None, typer.Option("--val", help="The manifest that it validates on.")
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option(
            "--override",
            "-o",
            metavar="KEY=VALUE",
            help="What the command line adds, as trainer.max_steps=5000 or +key=value; repeat it.",
        ),
    ] = None,
    gpus: Annotated[
        str | None,
        typer.Option("--gpus", "-g", metavar="NxGPU", help="Where it runs, such as 2xA100-40."),
    ] = None,
    effective_batch: Annotated[
        int | None,
        typer.Option("--effective-batch", min=1, help="Clips a step that the run is meant for."),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            "--tokenizer",
            metavar="FILE",
            help="tokenizer.json, SentencePiece .model or vocab.txt; default: what CONFIG names.",
        ),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="/HERE=/THERE", help="What the job mounts from here; repeat it."
        ),
    ] = None,
    exists: Annotated[
        Path | None,
        typer.Option(
            "--exists", metavar="LISTING", help="Files where the job runs, a path a line; -: stdin."
        ),
    ] = None,
    as_: Annotated[
        Literal["nemo", "hf", "recipe"] | None,
        typer.Option("--as", help="What CONFIG is written for; default: its keys tell."),
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what can be mended safely, in the file itself.")
    ] = False,
    rules: Annotated[bool, typer.Option("--rules", help="List every rule, and stop.")] = False,
    fail_on: Annotated[
        Literal["error", "warning", "note"],
        typer.Option("--fail-on", help="The mildest finding that exits with 1."),
    ] = "error",
    output: Annotated[
        LintFormat | None,
        typer.Option(
            "--format",
            "-f",
            help="How findings are written to stdout; default: table, in GitHub Actions github.",
        ),
    ] = None,
    workspace: WorkspaceOption = ".",
) -> int:
    """Find expensive mistakes in a training configuration: a recipe, NeMo, Hugging Face.

    With `--manifest` and `--val` it is held against the data: what the loader drops, labels,
    characters, languages, leaks. A comment `# asrdq: ignore[rule-id] reason` beside a value
    answers for a finding. Ends with 1 on an error, with 4 where something stayed open.

    Example: `asrdq lint conf/train.yaml --manifest train --val val --override trainer.devices=8`
    """
    chosen = output or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "table")
    if rules:
        _list_rules(chosen)
        return int(ExitCode.OK)
    if not configs:
        raise UsageError("which configuration?", hint="asrdq lint conf/train.yaml, or --rules")
    if len(configs) > 1 and chosen in ("json", "sarif"):
        raise UsageError(f"--format {chosen} is of one configuration", hint="lint them one by one")
    opened = workspace_if_any(workspace, needed=bool(manifest or val))
    around = _around(opened, manifest, val, gpus, effective_batch, tokenizer, map_, exists)
    read = functools.partial(_read, overrides=override or (), as_=as_, workspace=opened)
    codes = [_lint(name, around, read, chosen, fix=fix, fail_on=fail_on) for name in configs]
    worst = (ExitCode.FAILED, ExitCode.UNDECIDED, ExitCode.OK)
    return int(next(code for code in worst if code in codes))


def _lint(
    name: str,
    around: Around,
    read: Callable[[str], Config],
    chosen: str,
    *,
    fix: bool,
    fail_on: str,
) -> ExitCode:
    """Lint a configuration, mend it where that is asked for, and show what was found."""
    from asrdq.linting import Level, lint_config

    config = read(name)
    result = lint_config(config, around, stage=console.progress)
    if fix:
        result = _mend(name, config, result, around, read)
    code = result.exit_code(Level(fail_on))
    _show(result, chosen, code)
    _tell(result, name, fixed=fix)
    return code


def _read(
    config: str, overrides: Sequence[str], as_: str | None, workspace: Workspace | None
) -> Config:
    from asrdq.linting import Dialect, read_config
    from asrdq.places import place
    from asrdq.recipes import recipe_names

    named = recipe_names(workspace)
    if config in named and not place(config).exists():
        return read_config(named[config], overrides, Dialect.RECIPE, workspace)
    return read_config(place(config), overrides, Dialect(as_) if as_ else None, workspace)


def _around(
    opened: Workspace | None,
    manifest: str | None,
    val: str | None,
    gpus: str | None,
    effective_batch: int | None,
    tokenizer: str | None,
    map_: Sequence[str] | None,
    exists: Path | None,
) -> Around:
    from asrdq.linting import Around
    from asrdq.places import place
    from asrdq.planning import parse_gpus, read_hardware

    return Around(
        workspace=opened,
        manifest=opened.manifest(manifest) if opened and manifest else None,
        validation=opened.manifest(val) if opened and val else None,
        gpus=parse_gpus(gpus, read_hardware(opened)) if gpus else None,
        effective_batch=effective_batch,
        job=_job(map_ or (), exists),
        tokenizer=place(tokenizer) if tokenizer else None,
    )


def _job(pairs: Sequence[str], exists: Path | None) -> Job | None:
    from asrdq.linting import Job
    from asrdq.manifests import PathMap, listed_in

    if not pairs and exists is None:
        return None
    return Job(PathMap.parse(pairs), None if exists is None else listed_in(exists))


def _mend(
    name: str, config: Config, result: LintResult, around: Around, read: Callable[[str], Config]
) -> LintResult:
    from asrdq.linting import fix, lint_config
    from asrdq.places import on_disk, place

    if config.name != str(place(name)):
        raise UsageError(f"{name} is the name of a recipe", hint="--fix needs the path of a file")
    count = fix(on_disk(name), config, result.found, lambda file: read(str(file)))
    console.say(f"{count} mended in {name}" if count else "nothing that can be mended safely")
    return lint_config(read(name), around) if count else result


def _show(result: LintResult, chosen: str, code: ExitCode) -> None:
    from asrdq.linting import lint_commands, lint_sarif

    if chosen == "json":
        print(result.to_json())
    elif chosen == "github":
        print(lint_commands(result))
    elif chosen == "sarif":
        print(lint_sarif(result, code))
    elif result.found:
        render(_table(result), Format.TABLE)


def _table(result: LintResult) -> pa.Table:
    import pyarrow as pa

    rows = [
        {
            "level": "ignored" if each.suppressed else each.level.value,
            "rule": each.rule,
            "line": each.line,
            "found": each.message,
            "mend": each.suppressed or each.mend,
        }
        for each in result.found
    ]
    return pa.Table.from_pylist(rows)


def _tell(result: LintResult, config: str, *, fixed: bool) -> None:
    console.say(console.visible(result.summary()))
    for note in result.notes:
        console.warn(note)
    if any(each.edit for each in result.standing) and not fixed:
        console.next_step(f"asrdq lint {config} --fix", "mend what can be mended safely")
    elif result.manifest is None:
        console.next_step(f"asrdq lint {config} --manifest train --val val", "hold it against data")
    else:
        name = result.manifest.partition("@")[0]
        console.next_step(f"asrdq gate {name}", "is this data worth it?")


def _list_rules(chosen: str) -> None:
    import pyarrow as pa

    from asrdq.linting import every_rule

    rows = [
        {
            "rule": rule.id,
            "level": rule.level.value,
            "needs": " ".join(rule.needs),
            "fix": rule.fixes,
            "reason": rule.reason,
            "mend": rule.mend,
        }
        for rule in every_rule().values()
    ]
    render(pa.Table.from_pylist(rows), Format.JSON if chosen == "json" else Format.TABLE)
