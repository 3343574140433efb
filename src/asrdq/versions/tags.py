"""`asrdq tag`: names for versions, that stand wherever a version can."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

from asrdq.results import Result
from asrdq.workspace.runs import user_name
from asrdq.workspace.tags import Tag, check_tag, delete_tag, read_tags, tags_schema, write_tag

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import Workspace


@dataclass(frozen=True)
class TagList(Result):
    """Tags of manifests.

    Attributes:
        tags: By manifest, version and name.
    """

    main_table: ClassVar[str] = "tags"

    tags: tuple[Tag, ...]

    def summary(self) -> str:
        """Return a line a tag."""
        return "\n".join(f"{tag} is {tag.manifest}@{tag.version}" for tag in self.tags)

    def arrow(self) -> pa.Table:
        """Return a row a tag, as in the table `tags`."""
        import pyarrow as pa

        return pa.Table.from_pylist([asdict(tag) for tag in self.tags], schema=tags_schema())


def list_tags(workspace: Workspace, manifest: str | None = None) -> TagList:
    """Return the tags of a manifest, or of all.

    Raises:
        UsageError: There is no such manifest.
    """
    name = None if manifest is None else workspace.manifest(manifest).name
    return TagList(tuple(read_tags(workspace.store, name)))


def tag_version(workspace: Workspace, reference: str, tag: str, *, move: bool = False) -> Tag:
    """Give a version of a manifest a name: `tag_version(workspace, "train@4", "audited")`.

    Any number of processes may do so at once. What stands in the place of the tag already is
    left alone if it is this version.

    Args:
        workspace: Where the manifest is.
        reference: The version; the latest where only the manifest is named.
        tag: The name.
        move: Take the name from the version that has it now.

    Raises:
        UsageError: There is no such version, the name cannot be a tag, or another version of the
            manifest has it and `move` is not said.
    """
    check_tag(tag)
    version = workspace.manifest(reference)
    made = Tag(
        manifest=version.name,
        tag=tag,
        version=version.version,
        fingerprint=version.fingerprint,
        tagged=dt.datetime.now(dt.UTC),
        user=user_name(),
    )
    write_tag(workspace.store, made, move=move)
    return made


def untag(workspace: Workspace, manifest: str, tag: str) -> Tag:
    """Take a tag away, and return what it stood for; the version itself stays.

    Raises:
        UsageError: There is no such manifest or tag.
    """
    return delete_tag(workspace.store, workspace.manifest(manifest).name, tag)
