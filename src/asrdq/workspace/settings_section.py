"""Writing one section of `asrdq.yaml`; every other byte of the file stays as the user wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from asrdq.errors import UsageError
from asrdq.strict_yaml import compose_yaml
from asrdq.workspace.files import whole_file

if TYPE_CHECKING:
    from asrdq.places import Place


def write_section(path: Place, key: str, value: Any, remark: str) -> None:
    """Put a value under a key at the top of a YAML file, in the place of what was there.

    Lines of other sections keep their order, spacing and comments; those within the section are
    lost.

    Args:
        path: The file.
        key: Key at the top of the document.
        value: Lists, mappings, texts and numbers.
        remark: Comment behind the key.

    Raises:
        UsageError: The file is not YAML with a key a line, so that nothing can be put into it.
        ToolError: It cannot be written.
    """
    text, root = compose_yaml(path, empty_hint="`asrdq init` writes one that is not")
    before = path.read_bytes().decode("utf-8")
    section = f"{key}:  # {remark}\n" + yaml.safe_dump(
        value, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
    )
    after = _spliced(before, root, key, section)
    if after is None or _loaded(after) != {**yaml.safe_load(text), key: value}:
        raise UsageError(
            f"the section '{key}' cannot be put into it without changing the rest",
            where=str(path),
            hint="write it with one key a line at the left edge, as `asrdq init` does",
        )
    with whole_file(path) as file:
        file.write(after.encode("utf-8"))


def _spliced(text: str, root: yaml.Node, key: str, section: str) -> str | None:
    """Return the text with the section in its place, at the end where it is new."""
    if not isinstance(root, yaml.MappingNode) or root.flow_style or root.start_mark.column:
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    section = section.replace("\n", newline)
    lines = text.splitlines(keepends=True)
    for name, value in root.value:
        if name.value == key:
            first, last = name.start_mark.line, _last_line(value)
            return "".join([*lines[:first], section, *lines[last + 1 :]])
    end = "" if text.endswith("\n") else newline
    return f"{text}{end}{newline}{section}"


def _loaded(text: str) -> Any:
    """Return what a text holds; None where it is not YAML, as without a value that was named."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _last_line(node: yaml.Node) -> int:
    """Return the last line that holds anything of a node; its own end lies behind comments."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(node, yaml.MappingNode) else last)
    behind = node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line
    return node.end_mark.line - 1 if behind else node.end_mark.line
