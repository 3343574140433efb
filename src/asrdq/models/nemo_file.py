"""Files of NeMo models: found on a disk or a hub, looked into without NeMo."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import yaml

from asrdq.errors import ToolError, UsageError
from asrdq.models.requirements import needs

_CONFIG: Final = "model_config.yaml"
_ASR: Final = "nemo.collections.asr."
_PART: Final = "nemo:"
_MULTITASK: Final = "EncDecMultiTaskModel"
_SPECIAL: Final = "spl_tokens"
"""What Canary's tokenizer calls its special tokens, beside the languages."""


@dataclass(frozen=True, slots=True)
class NemoFile:
    """A `.nemo` file and what its configuration says.

    Attributes:
        path: The file.
        target: The class of the model, as `nemo.collections.asr.models.EncDecCTCModelBPE`.
        sample_rate: Rate in Hz of the audio that it takes.
        prompted: Whether it is told the language, as Canary is.
        languages: Codes of the languages it can be told, None where the file does not list them.
    """

    path: Path
    target: str
    sample_rate: int
    prompted: bool
    languages: frozenset[str] | None


def find_nemo_file(model: str) -> Path:
    """Return the file of a model, fetched from the Hugging Face hub where it is named so.

    Args:
        model: A `.nemo` file, or a name such as `nvidia/parakeet-tdt-0.6b-v2`.

    Raises:
        ToolError: There is no such file, or the hub does not give it.
        UsageError: It is neither.
    """
    path = Path(model).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        raise ToolError("is a folder, not a .nemo file", where=model, hint=_inside(path))
    if model.endswith(".nemo"):
        raise ToolError("there is no such file", where=model)
    if len(PurePosixPath(model).parts) != 2 or model.startswith((".", "/", "~")):
        raise UsageError(
            f"'{model}' is neither a file nor the name of a model",
            hint="nemo:model.nemo, or nemo:nvidia/parakeet-tdt-0.6b-v2",
        )
    hub = needs("huggingface_hub", "a model of the Hugging Face hub")
    try:
        found = hub.hf_hub_download(model, f"{PurePosixPath(model).name}.nemo")
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ToolError(
            f"the Hugging Face hub does not give it: {reason}",
            where=model,
            hint="is the name right, and the hub reached? A file works too: nemo:model.nemo",
        ) from error
    return Path(found)


def read_nemo_file(path: Path) -> NemoFile:
    """Look into a `.nemo` file.

    Raises:
        ToolError: It is damaged, or no speech recogniser.
    """
    config = _config(path)
    target = str(config.get("target") or "")
    if not target.startswith(_ASR):
        raise ToolError(f"is no speech recogniser: {target or 'no target'}", where=str(path))
    preprocessor = config.get("preprocessor") or {}
    rate = config.get("sample_rate") or preprocessor.get("sample_rate")
    if not isinstance(rate, int):
        raise ToolError(f"{_CONFIG} has no sample_rate", where=str(path))
    prompted = target.endswith(_MULTITASK)
    return NemoFile(path, target, rate, prompted, _languages(config) if prompted else None)


def missing_parts(path: Path) -> list[str]:
    """Return the files that the configuration of a model names and that it does not hold.

    NeMo says of such a model that an abstract class cannot be instantiated.
    """
    try:
        with tarfile.open(path, "r:*") as archive:
            held = {PurePosixPath(name).name for name in archive.getnames()}
    except (tarfile.TarError, OSError, EOFError):
        return []
    return sorted(set(_parts(_config(path))) - held)


def _parts(value: Any) -> Iterator[str]:
    """Give the names after `nemo:` in a configuration, however deep."""
    if isinstance(value, str) and value.startswith(_PART):
        yield value.removeprefix(_PART)
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _parts(one)


def _languages(config: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the languages of a tokenizer made up of one for each; None of any other."""
    languages = (config.get("tokenizer") or {}).get("langs")
    if not isinstance(languages, dict):
        return None
    return frozenset(str(name).partition("-")[0] for name in languages if name != _SPECIAL)


def _config(path: Path) -> dict[str, Any]:
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                if PurePosixPath(member.name).name == _CONFIG:
                    file = archive.extractfile(member)
                    found = yaml.safe_load(file.read()) if file else None
                    break
            else:
                raise ToolError(f"holds no {_CONFIG}: is it a .nemo file?", where=str(path))
    except (tarfile.TarError, OSError, EOFError, yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ToolError(
            f"cannot be read as a .nemo file: {reason}", where=str(path), hint="is it whole?"
        ) from error
    if not isinstance(found, dict):
        raise ToolError(f"{_CONFIG} in it is no mapping", where=str(path))
    return found


def _inside(folder: Path) -> str | None:
    files = sorted(folder.rglob("*.nemo"))
    return f"nemo:{files[0]}" if files else None
