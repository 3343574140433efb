"""Write `docs/reference/cli.md` from the commands themselves.

    python tools/make_cli_reference.py [--check]

With `--check` nothing is written; the exit code is 1 where the page is not up to date.
"""

from __future__ import annotations

import enum
import inspect
import sys
from pathlib import Path
from typing import Any

from asrdq.cli.verbs import VERBS, Verb, sub_verbs

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "cli.md"

HEAD = """\
# Command line reference

Made by `tools/make_cli_reference.py` from the commands themselves.

Every command also answers to `--help`. `asrdq --workspace DIR COMMAND …` is the same as
`asrdq COMMAND … --workspace DIR`, and `asrdq --quiet COMMAND …` shows nothing but results and
errors. Exit codes are the same in every format:
0 fine · 1 the data or the gate failed · 2 wrong usage or settings ·
3 a tool, file or service failed · 4 undecided.
"""


def reference() -> str:
    """Return the page."""
    return "\n".join([HEAD, *(section(verb) for verb in VERBS.values())])


def section(verb: Verb) -> str:
    """Return the part of the page about one verb, its sub-verbs after it."""
    command = verb.load()
    subs = sub_verbs(command)
    if not subs:
        return described(verb.name, command, "##")
    head = f"## {verb.name}\n\n{inspect.cleandoc(command.help)}\n"
    return "\n".join([head, *(described(f"{verb.name} {s}", subs[s], "###") for s in subs)])


def described(name: str, command: Any, heading: str) -> str:
    """Return usage, help and a table of arguments and options of a command."""
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join([f"asrdq {name}", *map(placeholder, arguments), "[OPTIONS]"])
    lines = [f"{heading} {name}", "", "```text", usage, "```", "", inspect.cleandoc(command.help)]
    if command.params:
        lines += ["", "| argument or option | meaning | default |", "| --- | --- | --- |"]
        lines += [row(parameter) for parameter in (*arguments, *options)]
    return "\n".join([*lines, ""])


def placeholder(argument: Any) -> str:
    """Return how an argument appears in the usage line."""
    name = f"{bare(argument)}{'…' if argument.nargs == -1 else ''}"
    return name if argument.required else f"[{name}]"


def bare(argument: Any) -> str:
    """Return the name of an argument without the signs of its help page: `[DIR]` is DIR."""
    return (argument.metavar or argument.name.upper()).strip("[]…")


def row(parameter: Any) -> str:
    """Return the table row of an argument or option, with the shape of its value if it has one."""
    if parameter.param_type_name == "argument":
        names = [bare(parameter)]
    else:
        names = [*parameter.opts, *parameter.secondary_opts]
        names[0] += f" {parameter.metavar}" if parameter.metavar else ""
    kind = parameter.type_descriptor
    choices = kind.choices if kind.is_choice else ()
    values = ", ".join(f"`{getattr(choice, 'value', choice)}`" for choice in choices)
    meaning = " ".join(filter(None, [parameter.help, f"One of {values}." if values else ""]))
    shown = ", ".join(f"`{name}`" for name in names)
    return f"| {shown} | {meaning} | {default(parameter)} |".replace("  ", " ")


def default(parameter: Any) -> str:
    """Return the default of a parameter as a person reads it."""
    value = parameter.default
    if parameter.required:
        return "required"
    if value is None or value is False or value in ((), []) or callable(value):
        return ""
    return f"`{value.value if isinstance(value, enum.Enum) else value}`"


def main(arguments: list[str]) -> int:
    """Write or check the page and return the exit code."""
    text = reference()
    current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if "--check" in arguments:
        if current != text:
            print(f"{PAGE} is not up to date: run {Path(__file__).name}", file=sys.stderr)
        return int(current != text)
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
