"""Weighted groups as NeMo's Lhotse data loader takes them: an `input_cfg` and its manifests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import yaml

from asrdq.errors import UsageError
from asrdq.places import Place
from asrdq.sampling.strata import NO_VALUE
from asrdq.sampling.weights import WeightsResult, group_value
from asrdq.workspace.files import whole_file
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

FILE = "input_cfg.yaml"
_NAMES = {
    "audio_path": "audio_filepath",
    "duration_s": "duration",
    "offset_s": "offset",
    "text": "text",
    "language": "lang",
    "speaker": "speaker",
    "utt_id": "utt_id",
}
"""Columns of the manifest that are written, and what NeMo calls them."""


def write_input_cfg(
    workspace: Workspace,
    manifest: ManifestVersion,
    weights: WeightsResult,
    folder: Place,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> Place:
    """Write `input_cfg.yaml` and a NeMo manifest for each innermost group.

    Each group of an outer level is an entry of type `group` with its own `input_cfg`; each
    innermost one is of type `nemo` with a `manifest_filepath`. Every entry has its weight among
    its siblings, and its column and value as `tags`. Audio paths are those of this machine.

    Args:
        workspace: Where the manifest is.
        manifest: The version that was weighed.
        weights: Its weights.
        folder: Where the files go; made if it is missing.
        advance: Told of the number of rows written.

    Returns:
        The path of the YAML file, to be given as `input_cfg`.

    Raises:
        UsageError: The weights are those of another manifest version.
        ToolError: A file cannot be written.
    """
    if weights.manifest != str(manifest):
        raise UsageError(f"the weights are those of {weights.manifest}, not of {manifest}")
    folder = folder.expanduser().resolve()
    groups = weights.groups.to_pylist()
    places: dict[tuple[str, ...], Place] = {}
    for row in groups:
        if row["level"] == len(weights.by):
            group = tuple(row["group"])
            places[group] = folder / _file_name(len(places), group)
            _write_manifest(workspace, manifest, weights.by, group, places[group], advance)
    entries = _entries(groups, (), weights.by, places)
    with whole_file(folder / FILE) as file:
        file.write(yaml.safe_dump(entries, sort_keys=False, allow_unicode=True).encode())
    return folder / FILE


def _entries(
    groups: list[dict[str, Any]],
    above: tuple[str, ...],
    by: tuple[str, ...],
    places: dict[tuple[str, ...], Place],
) -> list[dict[str, Any]]:
    entries = []
    for row in groups:
        group = tuple(row["group"])
        if len(group) != len(above) + 1 or group[:-1] != above:
            continue
        inner = (
            {"type": "nemo", "manifest_filepath": str(places[group])}
            if group in places
            else {"type": "group", "input_cfg": _entries(groups, group, by, places)}
        )
        tags = {} if group[-1] == NO_VALUE else {"tags": {by[len(above)]: group[-1]}}
        entries.append({**inner, "weight": round(row["weight"], 9), **tags})
    return entries


def _file_name(number: int, group: tuple[str, ...]) -> str:
    """Return a file name that says the group; the number keeps alike names apart."""
    words = "-".join(re.sub(r"\W+", "_", part)[:40] for part in group)
    return f"{number:03d}-{words}.jsonl"


def _write_manifest(
    workspace: Workspace,
    manifest: ManifestVersion,
    by: tuple[str, ...],
    group: tuple[str, ...],
    path: Place,
    advance: Callable[[int], None],
) -> None:
    condition = " AND ".join(
        f"{group_value(column)} = {quote_text(value)}"
        for column, value in zip(by, group, strict=True)
    )
    with (
        whole_file(path) as file,
        workspace.stream(manifest, list(_NAMES), condition) as reader,
    ):
        for batch in reader:
            lines = _lines(workspace, manifest, batch.to_pylist())
            file.writelines(f"{line}\n".encode() for line in lines)
            advance(batch.num_rows)


def _lines(
    workspace: Workspace, manifest: ManifestVersion, rows: list[dict[str, Any]]
) -> Iterator[str]:
    for row in rows:
        row["audio_path"] = workspace.audio_file(manifest, row["audio_path"])
        said = {_NAMES[name]: value for name, value in row.items() if value is not None}
        yield json.dumps(said, ensure_ascii=False)
