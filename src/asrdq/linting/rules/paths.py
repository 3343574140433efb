"""Rules about the files that a job opens, where it runs."""

from __future__ import annotations

from collections.abc import Iterator

from asrdq.linting.case import Case
from asrdq.linting.registry import MANIFEST, WHERE, Found, rule
from asrdq.planning.findings import Level


@rule(
    "path-not-found",
    Level.ERROR,
    reason="A path that does not exist where the job runs stops it after the machine was paid for; "
    "most often it is a path of this machine inside a container.",
    mend="the path as the job sees it: --map /here=/there names the mounts, --exists a listing",
    helps=(MANIFEST, WHERE),
)
def path_not_found(case: Case) -> Iterator[Found]:
    """Look for paths that the job cannot open."""
    facts = case.paths
    if facts is None:
        return
    for at, there in facts.unmounted:
        if there is None:
            yield Found(f"{at.key}: nothing is mounted at {at.value}", at)
        else:
            told = f"{at.key}: {at.value} is a path of this machine"
            yield Found(told, at, mend=f"write {there}")
    for at in facts.missing:
        if facts.elsewhere:
            yield Found(f"{at.key}: {at.value} does not exist where the job runs", at)
        else:
            yield Found(
                f"{at.key}: {at.value} does not exist here",
                at,
                mend="say where the job runs: --map /here=/there, --exists LISTING",
                level=Level.WARNING,
            )
    if facts.audio_missing:
        yield Found(
            f"{facts.audio_missing:,} of {facts.audio_files:,} audio files of the manifest do not "
            f"exist where the job runs, as {facts.audio_example}"
        )
