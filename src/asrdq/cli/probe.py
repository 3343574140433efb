"""`asrdq probe`: measure every clip of a manifest."""

from __future__ import annotations

import time

from asrdq import console
from asrdq.cli.options import (
    AddressOption,
    EngineOption,
    FormatOption,
    ManifestArgument,
    WorkersOption,
    WorkspaceOption,
)
from asrdq.cli.output import Format, emit_in_words


def probe(
    manifest: ManifestArgument,
    workers: WorkersOption = 0,
    engine: EngineOption = None,
    address: AddressOption = None,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> None:
    """Measure every clip: duration, level, noise, bandwidth, faults.

    Each clip is decoded once, on all cores. A clip that cannot be read becomes a row with its
    reason. The rows are in the table `audio_facts`; what was measured stays cached, so that a
    killed or repeated probe only does what is left. Ends with 1 if not one clip can be read.

    Example: `asrdq probe train`, then
    `asrdq sql "SELECT utt_id, status, detail FROM audio_facts WHERE status <> 'ok'"`
    """
    from asrdq.audio import nothing_readable, probe_manifest
    from asrdq.cli.engines import cluster_of, working_on
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    version = opened.manifest(manifest)
    cluster = cluster_of(opened.settings, engine, address)
    started, decoded_s = time.monotonic(), 0.0

    with working_on(cluster), console.progress("probe", version.rows, "clips") as bar:

        def on_clip(clips: int, audio_s: float | None) -> None:
            nonlocal decoded_s
            if audio_s is None:
                bar.skip(clips)
                return
            decoded_s += audio_s
            speed = decoded_s / (time.monotonic() - started)
            bar.advance(clips, speed=f"{speed:,.0f} × real time")

        result = probe_manifest(
            opened,
            version,
            workers=workers or opened.settings.workers,
            on_clip=on_clip,
            cluster=cluster,
        )

    emit_in_words(result, output)
    if result.nothing_readable:
        raise nothing_readable(result.facts.num_rows, result.manifest)
    console.next_step(f"asrdq sample {version.name}", "draws what an audit will look at")
