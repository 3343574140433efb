"""Where a model lies: a file, a folder, or a name on the Hugging Face hub."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any, Final

from asrdq.errors import ToolError, UsageError
from asrdq.models.requirements import needs

CONFIG: Final = "config.json"
_NEMO: Final = ".nemo"
_WANTED: Final = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "*.bin", "*.nemo")
_PARTS_OF_A_NAME: Final = 2
_FILES: Final = frozenset({_NEMO, ".bin", ".ckpt", ".pt", ".safetensors"})
"""How files of models end; names on the hub have dots too: `whisper-tiny.en`, `…-0.6B`."""
_PARTS: Final = {
    "weights": ("model*.safetensors", "pytorch_model*.bin"),
    "feature extractor": ("preprocessor_config.json", "processor_config.json"),
    "tokenizer": ("tokenizer.json", "tokenizer_config.json", "vocab.json", "*.model"),
}
"""What a model that hears speech consists of, and the files that each may stand in."""


def find_model(model: str, example: str) -> Path:
    """Return the folder of a Hugging Face model or the `.nemo` file that is meant.

    A name on the hub is fetched once and found in the cache of the hub from then on, also where
    the hub cannot be reached.

    Args:
        model: A path, or a name such as `facebook/mms-1b-all`.
        example: What to write, for the messages: `--aligner ctc:facebook/mms-1b-all`.

    Raises:
        UsageError: It is neither.
        ToolError: There is nothing there, or the hub does not give it.
    """
    path = Path(model).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        return _in_folder(path)
    if is_on_hub(model):
        return _in_folder(_fetched(model))
    if _looks_like_a_path(model):
        raise ToolError("there is no such model", where=model, hint=example)
    raise UsageError(f"'{model}' is neither a path nor the name of a model", hint=example)


def is_on_hub(model: str) -> bool:
    """Return whether a model is no path, so that the hub is asked for it.

    >>> [is_on_hub(name) for name in ("openai/whisper-tiny.en", "./whisper", "models/he.nemo")]
    [True, False, False]
    """
    is_name = len(PurePosixPath(model).parts) == _PARTS_OF_A_NAME and not _looks_like_a_path(model)
    return is_name and not Path(model).expanduser().exists()


def _looks_like_a_path(model: str) -> bool:
    return PurePosixPath(model).suffix in _FILES or model.startswith((".", "/", "~"))


def read_config(folder: Path) -> dict[str, Any]:
    """Return the configuration of a Hugging Face model.

    Raises:
        ToolError: It has none, or it cannot be read.
    """
    file = folder / CONFIG
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ToolError(f"holds no {CONFIG}: is it a model?", where=str(folder)) from error
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ToolError(f"cannot be read: {reason}", where=str(file)) from error
    if not isinstance(found, dict):
        raise ToolError("is no JSON object", where=str(file))
    return found


def check_parts(folder: Path) -> None:
    """See that a Hugging Face model has all its parts, before anything waits for it.

    Raises:
        ToolError: A part has no file.
    """
    for part, files in _PARTS.items():
        if not any(found for file in files for found in folder.glob(file)):
            raise ToolError(
                f"has no {part}: none of {', '.join(files)}",
                where=str(folder),
                hint="is the folder whole?",
            )


def _in_folder(folder: Path) -> Path:
    """Return the folder, or the one `.nemo` file in it where it is no Hugging Face model."""
    if (folder / CONFIG).is_file():
        return folder
    files = sorted(folder.glob(f"*{_NEMO}"))
    if len(files) == 1:
        return files[0]
    if files:
        named = ", ".join(file.name for file in files)
        raise UsageError(f"holds several models: {named}", where=str(folder), hint="name one")
    raise ToolError(f"holds neither {CONFIG} nor a {_NEMO} file", where=str(folder))


def _fetched(name: str) -> Path:
    hub = needs("huggingface_hub", "a model of the Hugging Face hub")
    try:
        return Path(hub.snapshot_download(name, allow_patterns=list(_WANTED)))
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ToolError(
            f"the Hugging Face hub does not give it: {reason}",
            where=name,
            hint="is the name right, and the hub reached? A folder works too",
        ) from error
