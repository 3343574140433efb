"""Run every script of `claims.yaml` and print what each claim measured beside its floor.

A script prints one JSON object as its last line: `ratio`, and any figures worth keeping. It runs
its peer and asrdq in the same process tree, so that the ratio means something on any machine.

    python benchmarks/run.py [NAME…]
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Claim:
    """A sentence that is true where the measured ratio keeps its floor."""

    claim: str
    script: str
    arguments: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, ratio: float) -> bool:
        """Return whether the ratio keeps the floor."""
        low = self.at_least is None or ratio >= self.at_least
        return low and (self.at_most is None or ratio <= self.at_most)

    def floor(self) -> str:
        """Return the floor as people write it."""
        bounds = (("≥", self.at_least), ("≤", self.at_most))
        return " ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)


def read_claims(path: Path = FOLDER / "claims.yaml") -> list[Claim]:
    """Return the claims of the file, in its order."""
    return [
        Claim(**{**entry, "arguments": tuple(map(str, entry.get("arguments", ())))})
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


def measure(claim: Claim) -> dict[str, Any]:
    """Run a claim's script and return the object that it prints last."""
    command = [sys.executable, str(FOLDER / claim.script), *claim.arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def main(names: list[str]) -> int:
    """Measure the claims (all, or those of the scripts named) and return the exit code."""
    table = Table("claim", "script", "ratio", "floor", "", "figures")
    failed = 0
    for claim in read_claims():
        if names and claim.script.removesuffix(".py") not in names:
            continue
        print(f"running {claim.script} …", file=sys.stderr, flush=True)
        figures = measure(claim)
        ratio = float(figures.pop("ratio"))
        holds = claim.holds(ratio)
        failed += not holds
        rest = ", ".join(f"{name} {value}" for name, value in figures.items())
        verdict = "ok" if holds else "MISSED"
        table.add_row(claim.claim, claim.script, f"{ratio:.3g}", claim.floor(), verdict, rest)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
