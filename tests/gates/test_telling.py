"""A verdict in words: the library and the command line tell the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.cli.gate import headline
from asrdq.gates import evaluate_gate

if TYPE_CHECKING:
    from tests.gates.conftest import Audited


def test_summary_screen_and_markdown_tell_the_same(audited: Audited) -> None:
    audited.write_audit({"noisy": 75, "clean": 0})
    result = evaluate_gate(audited.workspace, audited.manifest)
    head, *told = result.summary().splitlines()
    assert head == f"{result.verdict} for train@0"
    assert any("risk: stratum noisy" in line for line in told)
    assert any("75 of 400 judged clips are of low quality" in line for line in told)
    assert headline(result).splitlines() == [head, *told]
    first, _, *items = headline(result, markdown=True).splitlines()
    assert first == f"**{result.verdict}** for train@0"
    assert [item.removeprefix("- ") for item in items] == [line.strip() for line in told]


def test_a_verdict_without_figures_has_its_reasons(audited: Audited) -> None:
    result = evaluate_gate(audited.workspace, audited.manifest)
    assert "never audited" in result.summary()
    assert "rate" not in result.summary()
