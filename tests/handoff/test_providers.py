"""Providers are settings of a team: laid over the shipped ones, and strict."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asrdq.errors import UsageError
from asrdq.handoff.providers import Machine, machine_name, provisioning_text, read_providers

if TYPE_CHECKING:
    from asrdq.workspace import Workspace


def overlay(workspace: Workspace, text: str) -> None:
    (Path(str(workspace.root)) / "providers.yaml").write_text(text, encoding="utf-8")


def page(workspace: Workspace | None, machine: Machine) -> str:
    return provisioning_text(read_providers(workspace), machine, "b", "image:1", "torchrun.sh")


MACHINE = Machine(
    "a100-40", 2, 80, 1, 200, 12.0, [("/a", "/data")], {"lambda": (3.2, dt.date(2026, 2, 10))}
)


def test_each_step_has_its_cost_and_nothing_is_guessed() -> None:
    text = page(None, MACHINE)
    own = text.partition("## Lambda Cloud")[2].partition("\n## ")[0]
    assert "### create: 3.20 USD an hour from here on" in own
    assert "### run: about 38.40 USD for 12.0 h" in own
    assert "### stop: not possible here\n\nThere is no command for it." in own
    assert "### delete: costs end, and the disk is gone: fetch first" in own
    assert "/a/ ubuntu@<address>:/data/" in own
    brev = text.partition("## NVIDIA Brev")[2].partition("\n## ")[0]
    assert "### run: price not known, see prices.yaml" in brev


def test_several_machines_cost_several_times_as_much() -> None:
    two = Machine("a100-40", 2, 80, 2, 200, None, [], {"lambda": (3.2, dt.date(2026, 2, 10))})
    assert "### run: 6.40 USD an hour while it lasts" in page(None, two)


def test_a_team_has_names_of_its_own_and_takes_providers_away(workspace: Workspace) -> None:
    overlay(workspace, "providers: {lambda: null, brev: {gpus: {a100-40: OUR-A100}}}\n")
    text = page(workspace, MACHINE)
    assert "Lambda" not in text
    assert "--gpu-name OUR-A100" in text
    assert "RunPod" in text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("providers: {lambda: {stop_from_inside: 'end it'}}", "would delete the model"),
        ("providers: {brev: {run: ['ssh {host}']}}", r"brev\.run: \{'host'\} is not filled in"),
        ("providers: {brev: {run: ['ssh {here}']}}", r"brev\.run: \{'here'\} is not filled in"),
        ("providers: {brev: {halt: []}}", "unknown key 'halt'"),
        ("providers: {'a b': {title: x}}", "pattern"),
    ],
)
def test_mistakes_are_told_with_their_file(workspace: Workspace, text: str, problem: str) -> None:
    overlay(workspace, text + "\n")
    with pytest.raises(UsageError, match=problem):
        read_providers(workspace)


@pytest.mark.parametrize("name", ["", "Round 2: $(reboot)", "-x", "ü" * 90, "a" * 90])
def test_a_machine_has_a_name_that_no_shell_reads_into(name: str) -> None:
    made = machine_name(name)
    assert made.startswith("asrdq")
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(made) <= 40
