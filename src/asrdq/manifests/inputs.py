"""The files and folders of an ingest, each with its format."""

from __future__ import annotations

from collections.abc import Mapping

from asrdq.errors import Problem, UsageError
from asrdq.manifests.block import Source
from asrdq.manifests.fetching import Fetched
from asrdq.manifests.formats.audio_names import shown_name
from asrdq.manifests.formats.opening import read_head
from asrdq.manifests.formats.pattern import PatternFormat
from asrdq.manifests.formats.protocol import ManifestFormat
from asrdq.manifests.formats.registry import AUTO, find_format, sniff_format, with_columns
from asrdq.manifests.reading import Input
from asrdq.places import place


def chosen_format(format_name: str, pattern: str | None) -> ManifestFormat | None:
    """Return the format that was asked for, None where each path is to be recognised.

    Raises:
        UsageError: There is no such format, or the pattern cannot be.
    """
    if pattern is not None:
        return PatternFormat(pattern)
    return None if format_name == AUTO else find_format(format_name)


def find_inputs(
    fetched: Fetched,
    chosen: ManifestFormat | None,
    columns: Mapping[str, str],
    root: str | None,
) -> list[Input]:
    """Return what is to be read, in order.

    Args:
        fetched: Files and folders, and where they come from.
        chosen: The format of all of them; None where each is to be recognised.
        columns: Canonical columns to the names they have in the files.
        root: Folder that audio paths are relative to, None for that of each path.

    Raises:
        DataError: A file is empty.
        UsageError: Paths that cannot be read or are not recognised, all at once.
    """
    files = [path.expanduser().resolve() for path in fetched.paths]
    names = [fetched.named(str(file)) for file in files]
    inputs, problems = [], []
    for index, file in enumerate(files):
        try:
            if names[index] in names[:index]:
                raise UsageError("the file is named twice", where=names[index])
            if (shown := shown_name(str(file))) != str(file):
                raise UsageError("its path is not valid UTF-8", where=shown, hint="rename it")
            found = with_columns(chosen or sniff_format(file), columns)
            read_head(file)
        except UsageError as error:
            problems.append(error)
            continue
        origin = place(names[index])
        folder = origin if file.is_dir() else origin.parent
        inputs.append(Input(file, found, Source(str(origin), root or str(folder)), columns))
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise UsageError(
            f"{len(problems)} of the files cannot be read",
            problems=[Problem(error.message, error.where) for error in problems],
        )
    return inputs
