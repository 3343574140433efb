"""The clips of a manifest, or of its sample, with what they are cached under."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from asrdq.audio import clip_rows, file_hashes, file_hashes_on, unread_reason
from asrdq.errors import DataError, UsageError
from asrdq.sampling import SamplingPlan, standing_sample
from asrdq.text import language_code
from asrdq.transcription.protocol import Transcriber
from asrdq.transcription.work import Answer, ClipTask

if TYPE_CHECKING:
    from asrdq.settings import RaySettings
    from asrdq.workspace import ManifestVersion, Workspace

_KEY_VERSION: Final = 1
_FILES_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip: its id, and what is to be done for it."""

    utt_id: str
    task: ClipTask


def clips_to_transcribe(
    workspace: Workspace, manifest: ManifestVersion, transcriber: Transcriber, *, sample: bool
) -> pl.DataFrame:
    """Return rows of `clip_rows` with a column `code` for the language.

    Args:
        workspace: Where the manifest is.
        manifest: The version.
        transcriber: What is to transcribe them.
        sample: Whether to take the newest sample that holds, or one drawn by the settings.

    Raises:
        DataError: There is no clip.
        UsageError: A clip is in a language that the transcriber does not know.
    """
    rows = clip_rows(workspace, manifest, ["language"])
    if sample:
        plan = SamplingPlan.from_settings(workspace.settings.sampling)
        drawn = standing_sample(workspace, manifest, plan).clips["utt_id"]
        rows = rows.filter(pl.col("utt_id").is_in(drawn.to_pylist()))
    if rows.is_empty():
        raise DataError(f"{manifest} has no clip", hint="asrdq ingest FILE --name NAME")
    default = workspace.settings.language
    codes = [language_code(language or default) for language in rows["language"]]
    if transcriber.languages is not None and not transcriber.languages.issuperset(codes):
        strange = ", ".join(sorted(set(codes) - transcriber.languages))
        known = ", ".join(sorted(transcriber.languages))
        raise UsageError(
            f"the transcriber '{transcriber.name}' does not know the language {strange}",
            hint=f"it knows: {known}; choose another one with --with",
        )
    return rows.with_columns(pl.Series("code", codes, dtype=pl.String))


def keyed_clips(
    rows: pl.DataFrame,
    transcriber: Transcriber,
    name: str,
    on_file: Callable[[int], None],
    workers: int = 0,
    cluster: RaySettings | None = None,
) -> list[Clip]:
    """Return clips with their content keys.

    A server does not say which weights it runs: what one answered for a set is taken for that
    set alone, never for another round.

    Args:
        rows: From `clips_to_transcribe`.
        transcriber: A loaded one, where it asks a server.
        name: Name of the set.
        on_file: Told the number of files whose content was hashed.
        workers: Workers of the cluster.
        cluster: The cluster that reads the files; None: this process does.
    """
    files = rows["file"].unique(maintain_order=True).to_list()
    hashes = (
        file_hashes_on(cluster, files, workers, on_file) if cluster else _hashes(files, on_file)
    )
    about = [_KEY_VERSION, transcriber.name, transcriber.version]
    about += [name] if transcriber.remote else []
    wanted = rows.select("utt_id", "file", "offset_s", "segment_s", "code", "duration_s")
    return [
        Clip(
            utt_id,
            ClipTask(
                _key([*about, hashes[file] or file, offset_s, length_s, code]),
                file,
                offset_s,
                length_s,
                code,
                readable=hashes[file] is not None,
                duration_s=duration_s or 0.0,
            ),
        )
        for utt_id, file, offset_s, length_s, code, duration_s in wanted.iter_rows()
    ]


def without_bytes(task: ClipTask) -> Answer:
    """Return the answer for a file that could not be read when it was hashed."""
    return Answer(task.key, unread_reason(task.path).value)


def _hashes(files: Sequence[str], on_file: Callable[[int], None]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for at in range(0, len(files), _FILES_AT_ONCE):
        some = files[at : at + _FILES_AT_ONCE]
        found |= file_hashes(some)
        on_file(len(some))
    return found


def _key(parts: Sequence[object]) -> str:
    content = "\x1f".join(map(str, parts))
    return hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
