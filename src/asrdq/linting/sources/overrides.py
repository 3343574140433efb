"""Command-line overrides in the grammar of Hydra: `key=value`, `+key=`, `++key=`, `~key`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from asrdq.errors import UsageError, nearest
from asrdq.linting.config import Fault, Setting
from asrdq.linting.registry import reader_rule
from asrdq.planning.findings import Level

ON_THE_COMMAND_LINE = "--override"
_FORM = re.compile(r"(?P<sign>\+\+|\+|~|)(?P<key>[\w./@-]+)(?:=(?P<value>.*))?", re.S)

reader_rule(
    "unknown-override",
    Level.ERROR,
    reason="Hydra stops before the first step where an override names a key that is not there.",
    mend="correct the key, or write +KEY=VALUE where it is meant to be new",
)
reader_rule(
    "override-adds-what-is-there",
    Level.ERROR,
    reason="Hydra stops before the first step where +KEY names a key that is there.",
    mend="write KEY=VALUE without the plus",
)


@dataclass(frozen=True, slots=True)
class Override:
    """One override.

    Attributes:
        text: As it was written.
        sign: Empty, `+`, `++` or `~`.
        key: The dotted key.
        value: Its value as YAML reads it.
        written: Its value as it was written.
    """

    text: str
    sign: str
    key: str
    value: Any
    written: str

    def setting(self, value: Any) -> Setting:
        """Return the setting that it makes."""
        return Setting(self.key, value, ON_THE_COMMAND_LINE, None, self.written)


def parse_overrides(texts: Sequence[str]) -> list[Override]:
    """Read overrides.

    Raises:
        UsageError: One is none; all of them are listed.
    """
    found, wrong = [], []
    for text in texts:
        match = _FORM.fullmatch(text.strip())
        if match is None or (match["value"] is None and match["sign"] != "~"):
            wrong.append(text)
            continue
        written = match["value"] or ""
        found.append(Override(text, match["sign"], match["key"], _value(written), written))
    if wrong:
        raise UsageError(
            f"no override: {', '.join(wrong)}",
            hint="write --override trainer.max_steps=5000, +key=value for a new key, ~key",
        )
    return found


def _value(written: str) -> Any:
    if re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", written):
        return float(written)
    try:
        return yaml.safe_load(written)
    except yaml.YAMLError:
        return written


def faults_of(overrides: Sequence[Override], keys: Mapping[str, Any]) -> list[Fault]:
    """Return the overrides that Hydra refuses, given every dotted key of the configuration."""
    known, found = set(keys), []
    for each in overrides:
        if each.key.partition(".")[0] == "hydra":
            continue  # Hydra's own settings, which are in no file of the user
        at = each.setting(each.value)
        if each.sign in ("", "~") and each.key not in known:
            guess = nearest(each.key, sorted(known))
            advice = f"; did you mean {guess}?" if guess else ""
            told = f"{each.text} names a key that the configuration does not have{advice}"
            found.append(Fault("unknown-override", told, at))
        elif each.sign == "+" and each.key in known:
            told = f"{each.text} adds a key that the configuration has"
            found.append(Fault("override-adds-what-is-there", told, at))
        if each.sign != "~":
            parts = each.key.split(".")
            known |= {".".join(parts[: end + 1]) for end in range(len(parts))}
    return found
