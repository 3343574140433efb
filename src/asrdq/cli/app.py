"""The command `asrdq`: finds the verb, runs it, and turns what it raises into an exit code."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import asrdq
from asrdq import console
from asrdq.cli.failures import asked_format, failure_document
from asrdq.cli.verbs import VERBS, sub_verbs
from asrdq.errors import AsrdqError, ExitCode, UsageError, unknown

INTERRUPTED = 130
BROKEN_PIPE = 141


class LazyGroup(TyperGroup):
    """A command group that imports a verb's module only when that verb is called."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return the verbs in the order of the help page."""
        return list(VERBS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | None:  # type: ignore[override]
        """Return a stand-in of a verb, enough for the help page and for completion."""
        verb = VERBS.get(cmd_name)
        return verb.stub() if verb else None

    def resolve_command(  # type: ignore[override]
        self, ctx: typer.Context, args: list[str]
    ) -> tuple[str, TyperCommand | TyperGroup, list[str]]:
        """Return the real command of a verb, told of the workspace that stood before it.

        Raises:
            UsageError: There is no such verb; the nearest one is named.
        """
        verb = VERBS.get(args[0])
        if verb is None:
            raise unknown("command", args[0], VERBS)
        command = verb.load()
        if workspace := ctx.params.get("workspace"):
            given = {{"init": "folder", "demo": "folder"}.get(verb.name, "workspace"): workspace}
            ctx.default_map = {verb.name: given | dict.fromkeys(sub_verbs(command), given)}
        return verb.name, command, args[1:]

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the verb; a reader that closed the pipe (as `head` does) is no error."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(BROKEN_PIPE) from error
        return code


app = typer.Typer(
    cls=LazyGroup,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 fine · 1 the data or the gate failed · 2 wrong usage or settings · "
    "3 a tool, file or service failed · 4 undecided.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"asrdq {asrdq.__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    workspace: Annotated[
        str | None,
        typer.Option(
            "--workspace", "-w", metavar="DIR", help="The workspace; searched for upwards."
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress, no remarks, no advice.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Is this speech data fit to train on, and can that verdict be trusted?

    Start with `asrdq demo`, or with `asrdq init` in a folder of your own.
    """
    # `workspace` reaches the verb as the default of its own option: LazyGroup.resolve_command
    console.set_quiet(quiet)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; whatever it raises has been told by then."""
    try:
        code = typer.main.get_command(app)(args=arguments, prog_name="asrdq", standalone_mode=False)
    except AsrdqError as error:
        _show(error, arguments)
        return error.exit_code
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        return _usage_error(error, arguments) or _crash(error, arguments)
    finally:
        console.set_workspace(None)
    if code == INTERRUPTED:
        console.warn("interrupted; run the same command again and it goes on where it stopped")
    return int(code or ExitCode.OK)


def _usage_error(error: Exception, arguments: list[str]) -> int | None:
    """Show a mistake that the option parser found; return None for any other error."""
    message = getattr(error, "format_message", None)
    if message is None:
        return None
    text = str(message()).replace("Value error, ", "")
    if text:  # it is empty where no argument was given and the help page has been shown
        context = getattr(error, "ctx", None)
        hint = f"{context.command_path} --help" if context else "asrdq --help"
        _show(UsageError(text, hint=hint), arguments)
    return ExitCode.USAGE


def _show(error: AsrdqError, arguments: Sequence[str]) -> None:
    shown = console.stderr()
    head = error.message if error.where is None else f"{error.where}: {error.message}"
    shown.print("[bold red]error:[/bold red]", end=" ")
    shown.print(head, markup=False)
    for problem in error.problems:
        shown.print(f"  {problem}", markup=False)
    if error.hint:
        shown.print(f"→ {error.hint}", markup=False, style="cyan")
    output = asked_format(arguments)
    if output is not None:
        print(failure_document(error, output))


def _crash(error: Exception, arguments: list[str]) -> int:
    """Keep the traceback in a file and tell where; a person sees one clear line."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="asrdq-crash-", suffix=".log", delete=False
    ) as log:
        log.write(f"asrdq {asrdq.__version__}, Python {sys.version}\n{arguments}\n\n")
        log.writelines(traceback.format_exception(error))
    failure = AsrdqError(
        f"this should not have happened: {type(error).__name__}: {error}",
        hint=f"the details are in {log.name}; please send them with a bug report",
    )
    _show(failure, arguments)
    return ExitCode.TOOL
