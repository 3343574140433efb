"""Names for versions of manifests: `train@audited` in the place of `train@4`."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from asrdq.errors import UsageError, unknown
from asrdq.workspace.locks import locked

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace.store import TableStore

TAGS = "tags"

_TAG = re.compile(r"[a-z]([a-z0-9_.-]{0,62}[a-z0-9])?")
_TAKEN = frozenset({"latest", "head"})
_HINT = (
    "a tag is lower-case letters, digits, _, - and ., begins with a letter, ends with a letter "
    "or digit, 64 at most: audited, v1.2"
)


@dataclass(frozen=True, slots=True)
class Tag:
    """A name for one version of a manifest.

    Attributes:
        manifest: Name of the manifest.
        tag: The name.
        version: The version that it stands for.
        fingerprint: The content of that version.
        tagged: When it was put there (UTC).
        user: Who did it.
    """

    manifest: str
    tag: str
    version: int
    fingerprint: str
    tagged: dt.datetime
    user: str

    def __str__(self) -> str:
        return f"{self.manifest}@{self.tag}"


def tags_schema() -> pa.Schema:
    """Return the columns of the table `tags`: one row a tag."""
    import pyarrow as pa

    return pa.schema(
        [
            ("manifest", pa.string()),
            ("tag", pa.string()),
            ("version", pa.int64()),
            ("fingerprint", pa.string()),
            ("tagged", pa.timestamp("us", "UTC")),
            ("user", pa.string()),
        ]
    )


def check_tag(tag: str) -> str:
    """Return the name if a tag may have it.

    Raises:
        UsageError: It has other characters, looks like a version number, or is a word that
            people read as the newest version.
    """
    if not _TAG.fullmatch(tag):
        raise UsageError(f"'{tag}' cannot be a tag", hint=_HINT)
    if tag in _TAKEN:
        raise UsageError(
            f"'{tag}' cannot be a tag: people read it as the newest version",
            hint="the newest version is the name alone: train",
        )
    return tag


def read_tags(store: TableStore, manifest: str | None = None) -> list[Tag]:
    """Return the tags of a manifest, or of all, by manifest, version and name."""
    found = [Tag(**row) for row in store.rows(TAGS) if manifest in (None, row["manifest"])]
    return sorted(found, key=lambda tag: (tag.manifest, tag.version, tag.tag))


def find_tag(store: TableStore, manifest: str, tag: str) -> Tag:
    """Return a tag of a manifest.

    Raises:
        UsageError: The manifest has none of that name; the nearest is given.
    """
    found = {each.tag: each for each in read_tags(store, manifest)}
    if tag not in found:
        raise unknown(f"tag of manifest '{manifest}'", tag, found)
    return found[tag]


def write_tag(store: TableStore, tag: Tag, *, move: bool = False) -> bool:
    """Store a tag in one atomic commit, and return whether anything changed.

    Raises:
        UsageError: The tag stands for another version, and `move` is not said.
    """
    import pyarrow as pa

    check_tag(tag.tag)
    with locked(store.layout.lock("tagging")):
        before = {str(each): each.version for each in read_tags(store)}.get(str(tag))
        if before == tag.version:
            return False
        if before is not None and not move:
            raise UsageError(
                f"{tag} is version {before} already",
                hint=f"asrdq tag {tag.manifest}@{tag.version} {tag.tag} --move",
            )
        _replace(store, tag, pa.Table.from_pylist([asdict(tag)], schema=tags_schema()))
    return True


def delete_tag(store: TableStore, manifest: str, tag: str) -> Tag:
    """Take a tag away in one atomic commit; the version itself stays.

    Raises:
        UsageError: The manifest has no such tag.
    """
    with locked(store.layout.lock("tagging")):
        found = find_tag(store, manifest, tag)
        _replace(store, found, tags_schema().empty_table())
    return found


def _replace(store: TableStore, tag: Tag, rows: pa.Table) -> None:
    store.replace(TAGS, rows, {"manifest": [tag.manifest], "tag": [tag.tag]})
    store.compact(TAGS)
