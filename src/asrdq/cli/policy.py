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
) -> int:
    """Find every mistake in policy files, each with its line.

    Example: `asrdq policy lint policies/default.yaml policies/strict.yaml`
    """
    from asrdq import console
    from asrdq.errors import ExitCode
    from asrdq.gates import read_policy
    from asrdq.places import place

    for file in files:
        read_policy(place(file))
    console.say(f"{len(files)} policies are sound")
    return int(ExitCode.OK)


@policy.command("schema")
def schema() -> None:
    """Print the JSON Schema of policy files, for editors and other programs.

    Example: `asrdq policy schema > policy.schema.json`
    """
    import json

    from asrdq.gates import Policy

    print(json.dumps(Policy.model_json_schema(), indent=2))
