"""`asrdq policy`: policy files before a gate reads them."""

from __future__ import annotations

from typing import Annotated

import typer

from asrdq.cli.verbs import new_group

policy = new_group()


@policy.callback()
def about() -> None:
    """Check policy files, or print their JSON Schema.

    Example: `asrdq policy lint policies/default.yaml`
    """


@policy.command("lint")
def lint(
    files: Annotated[list[str], typer.Argument(metavar="FILES…", help="Policy files (YAML).")],
) -> None:
    """Find every mistake in policy files, each with its line.

    Unknown keys, values that cannot be, limits in the wrong order, rules that can never hold, and
    suites, normalisers and files of criteria that are not there. Ends with 2 where there is one.

    Example: `asrdq policy lint policies/default.yaml policies/strict.yaml`
    """
    from asrdq import console
    from asrdq.gates import lint_policies
    from asrdq.places import place

    lint_policies([place(file) for file in files])
    for file in files:
        console.say(f"{file} is sound")
    console.next_step(f"asrdq gate train --policy {files[0]}", "asks for a verdict by it")


@policy.command("schema")
def schema() -> None:
    """Print the JSON Schema of policy files, for editors and other programs.

    Example: `asrdq policy schema > policy.schema.json`
    """
    import json

    from asrdq.gates import policy_schema

    print(json.dumps(policy_schema(), indent=2))
