"""The page for the person who runs a bundle: what it is, what to do, what it costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asrdq.handoff.asked import Asked
    from asrdq.handoff.conditions import Conditions
    from asrdq.handoff.figures import Figures
    from asrdq.workspace import ManifestVersion


def readme_text(
    asked: Asked, conditions: Conditions, figures: Figures, script: str, beyond: Sequence[str]
) -> str:
    """Return the page.

    Args:
        asked: What is handed off.
        conditions: What was found of each condition.
        figures: Steps, time and cost.
        script: The launch script for this plan.
        beyond: What of the recipe NeMo's own scripts would leave out.
    """
    parts = [
        _head(asked),
        _answers(conditions),
        _run(script),
        _cost(figures),
        _files(asked),
        *_beyond(beyond),
    ]
    return "\n".join(parts)


def inline(text: object) -> str:
    r"""Return a text of the data as it can stand in a line of Markdown.

    >>> print(inline("a [b](c) <i>"))
    a \[b\](c) \<i\>
    """
    line = " ".join(str(text).split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|" else sign for sign in line)


def _head(asked: Asked) -> str:
    recipe = asked.recipe.recipe
    about = f" {inline(recipe.description)}" if recipe.description else ""
    return (
        f"# {inline(asked.train)} for {inline(recipe.model.base)}\n\n"
        f"A training run, ready to be started: recipe `{recipe.name}`, backend {asked.backend}."
        f"{about}\n\n"
        "| | manifest | rows | hours |\n| --- | --- | --- | --- |\n"
        + _row("training", asked.train)
        + _row("validation", asked.validation)
    )


def _row(what: str, manifest: ManifestVersion) -> str:
    return f"| {what} | {inline(manifest)} | {manifest.rows:,} | {manifest.hours:,.2f} |\n"


def _answers(conditions: Conditions) -> str:
    lines = ["## Who answers for the data", ""]
    if not conditions.cleared:
        lines.append("**Nobody: there is no verdict on it.** Its model is to judge other data.")
    for one in conditions.cleared:
        assert one.result is not None and one.decision is not None  # it was not refused
        decided = f"{one.decision['decided']:%Y-%m-%d}"
        lines.append(f"- **{one.result.verdict}** for {inline(one.manifest)}, decided {decided}")
        lines += [f"  - waived: {inline(waived)}" for waived in one.decision.get("waived") or ()]
        if one.result.verdict == "STOP":
            lines.append("  - **this verdict was overridden: read the reason below**")
        if one.signoff is not None:
            key = "signed with a key" if one.signoff.public_key else "without a key"
            lines.append(f"  - accepted by {inline(one.signoff.signed_by)}, {key}: "
                         f"{inline(one.signoff.note)}")  # fmt: skip
            if one.signoff.reason:
                lines.append(f"  - reason: {inline(one.signoff.reason)}")
    return "\n".join([*lines, ""])


def _run(script: str) -> str:
    return f"""\
## Run it

1. Is this what was handed off? The id was shown then, and stands in the table `handoffs`:

   ```sh
   python3 verify.py --id THE_ID
   ```

   `asrdq handoff verify . --id THE_ID` does the same where asrdq is installed.

2. Train. Each script verifies first, and trains on nothing that was changed:

   ```sh
   ASRDQ_BUNDLE_ID=THE_ID bash launch/{script}
   ```

   | script | where |
   | --- | --- |
   | `launch/local.sh` | one GPU, here |
   | `launch/torchrun.sh` | all GPUs of this machine |
   | `launch/multinode.sh` | on each of several machines, with `MASTER_ADDR` and `NODE_RANK` |
   | `launch/docker.sh` | the same in the container `ASRDQ_IMAGE`; `mounts.tsv` says what it sees |
   | `launch/slurm.sh` | `sbatch launch/slurm.sh` from this folder |

   The audio is not in this folder: it has to lie where `audio.jsonl` names it. What comes out lies
   beside this folder, in `ASRDQ_RUN_DIR` (by default its name with `.run`): nothing is ever written
   into the bundle. The same command goes on after a kill.

3. `DEPLOYMENT.md` tells how the model is served afterwards.
"""


def _cost(figures: Figures) -> str:
    hours = "time not known" if figures.hours is None else f"about {figures.hours:,.1f} h"
    usd = "cost not known" if figures.usd is None else f"about {figures.usd:,.2f} USD"
    steps = f"{figures.steps:,} in all"
    return (
        "## Time and cost\n\n"
        f"{figures.machine}: the loader keeps {figures.kept.rows:,} rows, "
        f"{figures.kept.hours:,.2f} h; {figures.steps_per_epoch:,} steps an "
        f"epoch, {steps}; {hours}, {usd}. A machine that is forgotten costs as much as one that "
        "trains: `PROVISIONING.md` has the commands that rent, stop and delete one, each with its "
        "cost, and the launch scripts stop it at their end if `ASRDQ_PROVIDER` and `ASRDQ_MACHINE` "
        "are set.\n"
    )


def _files(asked: Asked) -> str:
    nemo = "| `config/nemo.yaml` | the same as NeMo takes it |\n" if asked.backend == "nemo" else ""
    return (
        "## What is in it\n\n| file | what |\n| --- | --- |\n"
        "| `data/train.jsonl`, `data/validation.jsonl` | the manifests, paths as they are there |\n"
        "| `audio.jsonl` | each audio file: path, bytes, and its hash where it was audited |\n"
        "| `config/recipe.yaml` | the recipe, complete |\n"
        f"{nemo}"
        "| `environment.env` | variables of the run |\n"
        "| `provenance.json` | verdicts, sign-offs, versions, digests of all files |\n"
    )


def _beyond(beyond: Sequence[str]) -> Iterator[str]:
    if beyond:
        listed = ", ".join(f"`{key}`" for key in beyond)
        yield (
            "## What NeMo's own scripts would leave out\n\n"
            f"{listed}: only `asrdq train` does that, and the launch scripts start nothing else.\n"
        )
