"""The sampled clips as the audit needs them: words, file, place in the file, content hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.audio import check_reachable, clip_segment, file_hashes, file_hashes_on
from asrdq.errors import DataError, UsageError
from asrdq.text import character_count, language_code, spoken_words

if TYPE_CHECKING:
    from asrdq.alignment import Aligner
    from asrdq.sampling.samples import SampleResult
    from asrdq.settings import RaySettings
    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True, slots=True)
class Clip:
    """One sampled clip.

    Attributes:
        path: The audio file on this machine.
        offset_s: Where the clip starts in the file.
        length_s: Length of the segment; None where the clip is the whole file.
        stated_s: The duration that the manifest states; None where it states none.
        words: The transcript as spoken words.
        characters: Letters and digits of the transcript as it is written.
        audio_hash: Hash of the bytes of the file; None where it cannot be read.
    """

    utt_id: str
    stratum: str
    inclusion_probability: float
    audio_path: str
    path: str
    offset_s: float
    length_s: float | None
    stated_s: float | None
    text: str
    words: tuple[str, ...]
    characters: int
    language: str
    speaker: str | None
    audio_hash: str | None


def sampled_clips(
    workspace: Workspace,
    manifest: ManifestVersion,
    sample: SampleResult,
    aligner: Aligner,
    *,
    workers: int = 0,
    cluster: RaySettings | None = None,
) -> list[Clip]:
    """Return the clips of a sample in the order of their ids; a cluster reads their bytes.

    Raises:
        DataError: The sample is empty.
        UsageError: Some clips are in a language that the aligner does not know, or for which the
            settings have no speaking rate, or lie at addresses of another kind than S3; nothing
            is aligned.
        S3Error: The server of the audio does not answer, or refuses.
        ToolError: The cluster cannot hash the audio.
    """
    rows = _rows(workspace, manifest, sample)
    if not rows:
        raise DataError(f"the sample of {manifest} has no clips", hint="asrdq sample --help")
    default = workspace.settings.language
    for language in sorted({language_code(row["language"] or default) for row in rows}):
        workspace.settings.audit.speaking_rate(language)
    return clips_of(workspace, manifest, rows, aligner, workers=workers, cluster=cluster)


def clips_of(
    workspace: Workspace,
    manifest: ManifestVersion,
    rows: Sequence[Mapping[str, Any]],
    aligner: Aligner,
    *,
    workers: int = 0,
    cluster: RaySettings | None = None,
) -> list[Clip]:
    """Return rows of a manifest as clips for an aligner, in their order.

    Args:
        workspace: Where the manifest is.
        manifest: The version.
        rows: The canonical columns, `stratum` and `inclusion_probability`.
        aligner: What is to align them.
        workers: Workers of the cluster; 0 is as many as it has room for.
        cluster: The cluster that reads their bytes; None: this process does.

    Raises:
        UsageError: Some clips are in a language that the aligner does not know, or lie at
            addresses of another kind than S3.
        S3Error: The server of the audio does not answer, or refuses.
    """
    default = workspace.settings.language
    languages = {language_code(row["language"] or default) for row in rows}
    check_languages(aligner, languages)
    paths = [workspace.audio_file(manifest, row["audio_path"]) for row in rows]
    check_reachable(paths)
    hashes = file_hashes_on(cluster, paths, workers) if cluster else file_hashes(paths)
    return [_clip(row, path, hashes[path], default) for row, path in zip(rows, paths, strict=True)]


def check_languages(aligner: Aligner, languages: Set[str]) -> None:
    """Refuse languages that an aligner does not know.

    Raises:
        UsageError: There are some; those it knows are named.
    """
    if aligner.languages is not None and not languages <= aligner.languages:
        strange = ", ".join(sorted(languages - aligner.languages))
        known = ", ".join(sorted(aligner.languages))
        raise UsageError(
            f"the aligner '{aligner.name}' does not know the language {strange}",
            hint=f"it knows: {known}; a CTC model of that language can: --aligner "
            "ctc:facebook/mms-1b-all, or `aligner` in asrdq.yaml",
        )


def _rows(
    workspace: Workspace, manifest: ManifestVersion, sample: SampleResult
) -> list[dict[str, Any]]:
    columns = ["utt_id", "audio_path", "text", "duration_s", "offset_s", "language", "speaker"]
    drawn = {row["utt_id"]: row for row in sample.clips.to_pylist()}
    found = []
    with workspace.stream(manifest, columns) as reader:
        for batch in reader:
            for row in batch.to_pylist():
                if row["utt_id"] in drawn:
                    found.append({**row, **drawn[row["utt_id"]]})
    return sorted(found, key=lambda row: str(row["utt_id"]))


def _clip(row: Mapping[str, Any], path: str, audio_hash: str | None, default: str) -> Clip:
    language = language_code(row["language"] or default)
    text = row["text"] or ""
    offset_s, length_s = clip_segment(row["offset_s"], row["duration_s"])
    return Clip(
        utt_id=row["utt_id"],
        stratum=row["stratum"],
        inclusion_probability=row["inclusion_probability"],
        audio_path=row["audio_path"],
        path=path,
        offset_s=offset_s,
        length_s=length_s,
        stated_s=row["duration_s"],
        text=text,
        words=tuple(spoken_words(text, language)),
        characters=character_count(text),
        language=language,
        speaker=row["speaker"],
        audio_hash=audio_hash,
    )
