"""The verbs of the command line, known by name and one line of help without importing them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb: module `asrdq.cli.<name>` with a function of that name, or a Typer of sub-verbs."""

    name: str
    help: str
    panel: str

    @property
    def function(self) -> str:
        """Name of the module, and of the function or Typer in it."""
        return self.name.replace("-", "_")

    def stub(self) -> TyperCommand:
        """Return a stand-in that is enough to list the verb in `--help`."""
        return TyperCommand(self.name, help=self.help, rich_help_panel=self.panel)

    def load(self) -> TyperCommand | TyperGroup:
        """Import the verb's module and build its command."""
        module = importlib.import_module(f"asrdq.cli.{self.function}")
        found = getattr(module, self.function)
        if isinstance(found, typer.Typer):
            app = found
        else:
            app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
            app.command(self.name)(found)
        command = typer.main.get_command(app)
        assert isinstance(command, (TyperCommand, TyperGroup))
        return command


def sub_verbs(command: TyperCommand | TyperGroup) -> dict[str, TyperCommand]:
    """Return the sub-verbs of a verb by name, none where it has no sub-verbs."""
    found = command.commands if isinstance(command, TyperGroup) else {}
    return {name: sub for name, sub in found.items() if isinstance(sub, TyperCommand)}


def new_group() -> typer.Typer:
    """Return a Typer that sub-verbs are added to with `@group.command("name")`.

    The module that adds them gives the group its own docstring as help with `@group.callback()`.
    """
    return typer.Typer(add_completion=False, rich_markup_mode="markdown", no_args_is_help=True)


_DATA = "Data in, data out"
_MEASURE = "Measure"
_DECIDE = "Decide"
_TRAIN = "Train"
_START = "Start"

VERBS = {
    verb.name: verb
    for verb in (
        Verb("demo", "Run the whole chain on the samples that come along.", _START),
        Verb("init", "Create a workspace: settings, policy, folders.", _START),
        Verb("ingest", "Read manifest files into a versioned table.", _DATA),
        Verb("manifests", "List the manifests of the workspace and their versions.", _DATA),
        Verb("history", "Show the versions of a manifest and what made them.", _DATA),
        Verb("diff", "Say what changed between two versions.", _DATA),
        Verb("derive", "Make a manifest from a query, and keep its lineage.", _DATA),
        Verb("tag", "Give a version a name, list the names, or take one away.", _DATA),
        Verb("sql", "Ask the tables anything, read-only.", _DATA),
        Verb("duckdb", "Write a database of views for any DuckDB client.", _DATA),
        Verb("export", "Write a manifest to a file.", _DATA),
        Verb("cut", "Cut long recordings where their word alignment allows it.", _DATA),
        Verb("split", "Split a manifest into sides that share no speaker, text or term.", _DATA),
        Verb("leaks", "Find what an evaluation manifest shares with a training manifest.", _DATA),
        Verb("duplicates", "Find audio and text that a manifest holds twice.", _DATA),
        Verb("weights", "Temperature weights for nested groups, and NeMo's input_cfg.", _DATA),
        Verb("probe", "Measure every clip: duration, level, noise, bandwidth, faults.", _MEASURE),
        Verb("check", "Check a manifest against a suite of expectations.", _MEASURE),
        Verb("suite", "Propose a suite from data, check suite files, list them.", _MEASURE),
        Verb("sample", "Draw a stratified sample for an audit.", _MEASURE),
        Verb("audit", "Align transcripts with audio and judge every sampled clip.", _MEASURE),
        Verb("plan-audit", "Plan an audit: time, cost, and what each size would tell.", _MEASURE),
        Verb("faults", "Plant known faults and measure how many the audit finds.", _MEASURE),
        Verb("calibrate", "Fit thresholds for an aligner and keep them in asrdq.yaml.", _MEASURE),
        Verb("transcribe", "Transcribe clips into a set of hypotheses.", _MEASURE),
        Verb("normalise", "Show what a normaliser makes of a text, step by step.", _MEASURE),
        Verb("score", "Score hypotheses: error rates by group, with intervals.", _MEASURE),
        Verb("leaderboard", "Show the rates of a scored set in order, and what to do.", _MEASURE),
        Verb("gate", "Give the verdict: PROCEED, CAUTION, STOP or UNDECIDED.", _DECIDE),
        Verb("policy", "Check policy files, or print their JSON Schema.", _DECIDE),
        Verb("waive", "Answer for a rule that does not hold, until a day.", _DECIDE),
        Verb("signoff", "Accept a verdict: an entry in a ledger, signed where you like.", _DECIDE),
        Verb("verify", "Find what changed since a verdict was signed.", _DECIDE),
        Verb("compare", "Compare two scored rounds: KEEP, GROW, OVERFIT or STOP.", _DECIDE),
        Verb("report", "Write one HTML page with the evidence.", _DECIDE),
        Verb("recipes", "List the training recipes, or show where each value is from.", _TRAIN),
        Verb("plan", "Plan a training run: rows kept, steps, memory, time, cost.", _TRAIN),
        Verb("lint", "Find expensive mistakes in a training configuration.", _TRAIN),
        Verb("handoff", "Hand audited data to a trainer as a folder that proves itself.", _TRAIN),
        Verb("train", "Train exactly what was handed off; killed, it goes on.", _TRAIN),
        Verb("cycle", "One round: hand off, train, transcribe, score, compare, advice.", _TRAIN),
        Verb("card", "Write the card of a trained model; publish it where asked.", _TRAIN),
        Verb("watch", "Read the logs of training runs, and say when one needs a person.", _TRAIN),
        Verb("checkpoints", "Say which checkpoint to deploy, resume and go back to.", _TRAIN),
    )
}
