"""Weighted groups as NeMo's Lhotse data loader takes them: an `input_cfg` and its manifests."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from asrdq.errors import DataError, UsageError
from asrdq.manifests.columns import DURATION
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.nemo import NemoFormat
from asrdq.manifests.outgoing import AsIngested, Outgoing
from asrdq.places import Place
from asrdq.sampling.strata import NO_VALUE
from asrdq.sampling.weights import WeightsResult, group_value
from asrdq.workspace.files import whole_file
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

FILE = "input_cfg.yaml"
_OF_CUTS = frozenset(
    {
        *("id", "start", "duration", "channel", "supervisions", "features", "recording"),
        *("custom", "end", "text", "sampling_rate", "num_samples", "num_frames", "num_channels"),
    }
)
"""Attributes of Lhotse's cuts: NeMo sets tags as attributes, and these would be overwritten."""
_EXPANDED = re.compile(r"[][(){}<>]|_OP_|_CL_")
"""What NeMo takes for a range of shards in a path."""
_NO_VALUE_OF_OMEGACONF = "???"
_NAME_BYTES = 200


@dataclass(frozen=True, slots=True)
class InputCfg:
    """What was written for NeMo.

    Attributes:
        path: The YAML file, to be given as `input_cfg`.
        notes: What a person should know.
    """

    path: Place
    notes: tuple[str, ...]


def write_input_cfg(
    workspace: Workspace,
    manifest: ManifestVersion,
    weights: WeightsResult,
    folder: Place,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> InputCfg:
    """Write `input_cfg.yaml` and a NeMo manifest for each innermost group.

    Each group of an outer level is an entry of type `group` with its own `input_cfg`; each
    innermost one is of type `nemo` with a `manifest_filepath`. Every entry has its weight among
    its siblings, and its column and value as `tags`. The manifests hold every column, as an
    export does; audio paths are those of this machine.

    Args:
        workspace: Where the manifest is.
        manifest: The version that was weighed.
        weights: Its weights.
        folder: Where the files go; made if it is missing.
        advance: Told of the number of rows written.

    Raises:
        UsageError: The weights are those of another manifest version, or NeMo would take the
            path of the folder for a range of shards.
        DataError: A row has no duration, which NeMo's loader asks of each.
        ToolError: A file cannot be written.
    """
    if weights.manifest != str(manifest):
        raise UsageError(f"the weights are those of {weights.manifest}, not of {manifest}")
    folder = folder.expanduser().resolve()
    if expanded := _EXPANDED.search(str(folder)):
        raise UsageError(
            f"NeMo takes {expanded[0]!r} in a path for a range of shards",
            where=str(folder),
            hint="name another folder with --out",
        )
    _check_durations(workspace, manifest)
    groups = weights.groups.to_pylist()
    places: dict[tuple[str, ...], Place] = {}
    notes: dict[str, None] = {}
    for row in groups:
        if row["level"] == len(weights.by):
            group = tuple(row["group"])
            places[group] = folder / _file_name(len(places), group)
            said = _write_manifest(workspace, manifest, weights.by, group, places[group], advance)
            notes |= dict.fromkeys(said)
    entries = _entries(groups, (), weights.by, places, notes)
    with whole_file(folder / FILE) as file:
        file.write(yaml.dump(entries, Dumper=_Dumper, sort_keys=False, allow_unicode=True).encode())
    return InputCfg(folder / FILE, tuple(notes))


def _check_durations(workspace: Workspace, manifest: ManifestVersion) -> None:
    with workspace.stream(manifest, [DURATION], f"{DURATION} IS NULL") as reader:
        without = sum(batch.num_rows for batch in reader)
    if without:
        raise DataError(
            f"{without:,} rows of {manifest} have no duration, and NeMo's loader needs it of each",
            hint=f"asrdq probe {manifest.name} measures durations; asrdq derive leaves rows out",
        )


class _Value(str):
    """A text that stays one: quoted, and without the interpolation of OmegaConf."""


class _Dumper(yaml.SafeDumper):
    """Writes YAML that OmegaConf reads as it is meant: there 60e1 is a number, ${x} a reference."""


def _quoted(dumper: yaml.SafeDumper, value: _Value) -> yaml.ScalarNode:
    plain = re.sub(r"(\\*)\$\{", r"\1\1\\${", value)
    return dumper.represent_scalar("tag:yaml.org,2002:str", plain, style='"')


_Dumper.add_representer(_Value, _quoted)


def _entries(
    groups: list[dict[str, Any]],
    above: tuple[str, ...],
    by: tuple[str, ...],
    places: dict[tuple[str, ...], Place],
    notes: dict[str, None],
) -> list[dict[str, Any]]:
    entries = []
    for row in groups:
        group = tuple(row["group"])
        if len(group) != len(above) + 1 or group[:-1] != above:
            continue
        inner = (
            {"type": "nemo", "manifest_filepath": _Value(str(places[group]))}
            if group in places
            else {"type": "group", "input_cfg": _entries(groups, group, by, places, notes)}
        )
        tags = _tags(by[len(above)], group[-1], notes)
        entries.append({**inner, "weight": round(row["weight"], 9), **tags})
    return entries


def _tags(column: str, value: str, notes: dict[str, None]) -> dict[str, Any]:
    """Return the tag of a group; none where there is no value or NeMo could not take it."""
    if value == NO_VALUE:
        return {}
    if column in _OF_CUTS or value == _NO_VALUE_OF_OMEGACONF:
        what = f"'{column}'" if column in _OF_CUTS else f"'{value}'"
        notes[f"{what} has a meaning of its own to NeMo's loader: it is no tag"] = None
        return {}
    return {"tags": {_Value(column): _Value(value)}}


def _file_name(number: int, group: tuple[str, ...]) -> str:
    """Return a file name that says the group; the number keeps alike names apart."""
    words = "-".join(re.sub(r"[\W_]+", "-", part) for part in group)
    return f"{number:03d}-{words.encode()[:_NAME_BYTES].decode(errors='ignore')}.jsonl"


def _write_manifest(
    workspace: Workspace,
    manifest: ManifestVersion,
    by: tuple[str, ...],
    group: tuple[str, ...],
    path: Place,
    advance: Callable[[int], None],
) -> list[str]:
    """Write the rows of a group with all their columns, and return what should be known of it."""
    condition = " AND ".join(
        f"{group_value(column)} = {quote_text(value)}"
        for column, value in zip(by, group, strict=True)
    )
    target, clips = NemoFormat(), AsIngested(workspace, manifest, relative=False)
    outgoing, out = Outgoing(workspace, manifest, target, clips, advance), Destination(path)
    with workspace.stream(manifest, where=condition) as reader:
        target.write(outgoing.rows(reader), out)
    return [*outgoing.renaming(), *out.notes]
