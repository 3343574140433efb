"""Whether a model is one with a CTC decoder, told without loading it."""

from __future__ import annotations

from pathlib import Path

from asrdq.errors import ToolError
from asrdq.models.location import check_parts, read_config
from asrdq.models.nemo_file import read_nemo_file


def check_ctc(path: Path, hint: str) -> None:
    """See that a `.nemo` file or a Hugging Face folder is a CTC model and has all its parts.

    A folder of another family would be given a decoder of random weights.

    Args:
        path: As `find_model` returns it.
        hint: What to do about a model of another family.

    Raises:
        ToolError: It is none, or a part is missing, or it cannot be read.
    """
    if path.is_file():
        kind = read_nemo_file(path).target.rpartition(".")[2]
        has_decoder = "CTC" in kind
    else:
        kinds = read_config(path).get("architectures") or []
        kind, has_decoder = ", ".join(kinds), any(one.endswith("ForCTC") for one in kinds)
    if not has_decoder:
        told = kind or "no class named"
        raise ToolError(f"has no CTC decoder: {told}", where=str(path), hint=hint)
    if path.is_dir():
        check_parts(path)
