"""Bundles for benchmarks of training: of manifests whose truth is known, without a verdict.

A hand-off asks the gate first. A benchmark that plants the faults itself trains on faulty labels on
purpose, so it writes the bundle alone. Its provenance says so: there is no verdict in it.
"""

from __future__ import annotations

from pathlib import Path

from asrdq.console import silent
from asrdq.gates.policy import read_policy
from asrdq.handoff.asked import Asked
from asrdq.handoff.audio import find_audio
from asrdq.handoff.bundle import write_bundle
from asrdq.handoff.conditions import Conditions
from asrdq.handoff.linted import lint
from asrdq.places import place
from asrdq.recipes import read_recipe_file
from asrdq.workspace import Workspace


def unjudged_bundle(
    workspace: Workspace, train: str, validation: str, recipe: Path, folder: Path
) -> Path:
    """Write a bundle that nobody has judged; errors of the recipe still stand against it.

    Args:
        workspace: Where the manifests are.
        train: What is trained on.
        validation: What is validated on.
        recipe: The file of the recipe.
        folder: The bundle: a folder that is not there yet.

    Raises:
        SystemExit: The lint finds an error, or audio is not there.
    """
    asked = Asked(
        workspace=workspace,
        train=workspace.manifest(train),
        validation=workspace.manifest(validation),
        recipe=read_recipe_file(place(str(recipe)), workspace),
        backend="nemo",
        out=folder,
    )
    linted = lint(asked, None, silent)
    audio, missing = find_audio(asked, silent)
    if linted.refusals or missing:
        raise SystemExit("\n".join(each.message for each in (*linted.refusals, *missing)))
    policy_file = workspace.place(workspace.settings.policy).resolve()
    policy = read_policy(policy_file)
    conditions = Conditions(policy, policy_file, (), None, linted, audio, ())
    folder.mkdir(parents=True)
    write_bundle(asked, conditions, folder, silent)
    return folder
