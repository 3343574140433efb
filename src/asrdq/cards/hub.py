"""Publishing: one commit with the card and every file of the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from asrdq.errors import ToolError
from asrdq.models.requirements import needs

CARD = "README.md"


def publish(repo: str, model: Path, card: Path, *, public: bool, message: str) -> str:
    """Put a model and its card into a repository on the hub, and return the commit.

    The repository is made where it is not there, private unless it is to be public; who sees one
    that is there is not changed. It is one commit: the model is there whole, with its card, or not
    at all. The address of the hub is `HF_ENDPOINT`, the token `HF_TOKEN` or what `hf auth login`
    has kept.

    Raises:
        ToolError: huggingface_hub is not installed, there is no token, or the hub refuses.
    """
    needs("huggingface_hub", "publishing on the hub", "hub")
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(library_name="asrdq")
    operations = [
        CommitOperationAdd(path_in_repo=name, path_or_fileobj=str(file))
        for name, file in [*files_of(model).items(), (CARD, card)]
    ]
    try:
        api.create_repo(repo, private=not public, exist_ok=True)
        done: Any = api.create_commit(repo, operations, commit_message=message)
    except (OSError, ValueError) as error:
        raise ToolError(
            f"the hub did not take {repo}: {' '.join(str(error).split())[:300]}",
            hint="a token that may write: HF_TOKEN, or `hf auth login`; then the same command",
        ) from error
    return str(done.oid)


def files_of(model: Path) -> dict[str, Path]:
    """Return the files of a model by their names in the repository; a card in it is left out."""
    if model.is_file():
        return {model.name: model}
    names = {path.relative_to(model).as_posix(): path for path in sorted(model.rglob("*"))}
    return {name: path for name, path in names.items() if path.is_file() and name != CARD}
