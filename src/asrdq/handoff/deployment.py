"""How the trained model is served afterwards, by the kind of its decoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asrdq.recipes import Recipe

CHECKED = "2026-11-21"

DECODERS: Final[Mapping[str, tuple[str, str] | None]] = {
    "ctc": ("greedy_ctc", "greedy"),
    "rnnt": ("nemo", "nemo"),
    "tdt": ("nemo", "nemo"),
    "hybrid": ("nemo", "nemo"),
    "aed": None,
    "qwen3-asr": None,
    "whisper": None,
}
"""Family to what Riva's container and what the NIM container call its decoder; None where neither
serves it."""


def deployment_text(recipe: Recipe) -> str:
    """Return the page of a bundle about serving what it trains."""
    head = f"# Serving what {recipe.name} has trained\n\nCommands as documented on {CHECKED}.\n"
    if recipe.model.family == "qwen3-asr":
        return head + _VLLM
    decoders = DECODERS[recipe.model.family]
    if decoders is None:
        return head + _NO_RIVA.format(family=recipe.model.family)
    hybrid = _HYBRID if recipe.model.family == "hybrid" else ""
    flags = {"riva": decoders[0], "nim": decoders[1], "name": recipe.name}
    return head + hybrid + _RIVA.format(**flags)


_HYBRID = """
A hybrid model has two decoders; these flags serve the RNNT or TDT one. For its CTC decoder, change
the model to it first (`change_decoding_strategy(decoder_type="ctc")`), save it, and take the
decoder `greedy_ctc`, or `greedy` in a NIM container.
"""

_RIVA = """
`adapted_model.nemo` lies in the folder of the run. Which flags there are depends on the container:
ask it with `riva-build speech_recognition --help`, or `riva-build --config-path=… -h`.

## Convert

```sh
pip install nemo2riva
nemo2riva --out adapted_model.riva adapted_model.nemo
```

## Build, in a Riva container (`nvcr.io/nvidia/riva/riva-speech:…`)

```sh
riva-build speech_recognition /models/{name}.rmir /models/adapted_model.riva \\
  --name={name} --offline --decoder_type={riva} --language_code=en-US
```

Releases that list `flashlight, greedy, nemo` call the greedy decoder of CTC `greedy`, others
`greedy_ctc`.

## Build, in a speech NIM container (`nvcr.io/nim/nvidia/…`, started with `--entrypoint /bin/bash`)

```sh
riva-build --config-path=pkg://servicemaker.configs.asr --config-name=offline \\
  output_path=/models/{name}.rmir 'source_path=[/models/adapted_model.riva]' \\
  name={name} decoder={nim}
```

## Deploy

On the machine that will serve it: what `riva-deploy` makes is for one kind of GPU.

```sh
riva-deploy -f /models/{name}.rmir /data/models
```
"""

_NO_RIVA = """
Riva has no decoder for the family {family}: load the model with the library that trained it.
"""

_VLLM = """
```sh
pip install 'vllm[audio]'
vllm serve MODEL_FOLDER --port 8000
curl http://localhost:8000/v1/audio/transcriptions -F file=@clip.wav -F model=MODEL_FOLDER
```

A model with adapters has them merged into its weights first. Then it is measured as any other:
`asrdq transcribe eval --with openai:http://localhost:8000/v1`.
"""
