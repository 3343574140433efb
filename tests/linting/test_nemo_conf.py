"""NeMo's own example configurations: no error on any of them, and each warning judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from asrdq.linting import Level, lint_config, read_config

STREAMING, HYBRID = "fastconformer/cache_aware_streaming", "fastconformer/hybrid_transducer_ctc"
HYBRID_STREAMING = "fastconformer/hybrid_cache_aware_streaming"
LONG = "fastconformer/long_fastconformer"

JUDGED = {
    "fp32-precision": "true: they say themselves that bf16 or 16 is suggested where there is any",
    "no-gradient-clipping": "true of a fine-tuning; from scratch a choice, and free to change",
    "lr-too-high": "true as a number; right from scratch, hence a warning and no error",
    "too-many-epochs": "true for small data, and nothing tells the size of the data",
    "validation-never-runs": "true where the manifest turns out to be tar shards; it is not given",
    "checkpoint-monitor-loss": "true: WER is what the model logs and what is reported",
    "value-to-be-given": "true: the job stops without them",
}
"""What was found in them, and whether it is a true fault."""

FOUND = {
    "asr_finetune/speech_to_text_finetune.yaml": {
        "fp32-precision",
        "no-gradient-clipping",
        "too-many-epochs",
        "value-to-be-given",
    },
    "asr_finetune/speech_to_text_hf_finetune.yaml": {
        "fp32-precision",
        "no-gradient-clipping",
        "too-many-epochs",
    },
    f"{STREAMING}/fastconformer_ctc_bpe_streaming.yaml": {"fp32-precision"},
    f"{STREAMING}/fastconformer_ctc_char_streaming.yaml": {"fp32-precision"},
    f"{STREAMING}/fastconformer_transducer_bpe_streaming.yaml": {"fp32-precision", "lr-too-high"},
    f"{STREAMING}/fastconformer_transducer_char_streaming.yaml": {"fp32-precision", "lr-too-high"},
    "fastconformer/fast-conformer_ctc_bpe.yaml": {"fp32-precision", "no-gradient-clipping"},
    "fastconformer/fast-conformer_transducer_bpe.yaml": {
        "fp32-precision",
        "no-gradient-clipping",
        "lr-too-high",
    },
    f"{HYBRID}/fastconformer_hybrid_tdt_ctc_bpe.yaml": {"fp32-precision", "lr-too-high"},
    f"{HYBRID}/fastconformer_hybrid_transducer_ctc_bpe.yaml": {"fp32-precision", "lr-too-high"},
    f"{HYBRID}/fastconformer_hybrid_transducer_ctc_char.yaml": {"fp32-precision", "lr-too-high"},
    f"{HYBRID_STREAMING}/fastconformer_hybrid_transducer_ctc_bpe_streaming.yaml": {
        "fp32-precision",
        "lr-too-high",
    },
    f"{HYBRID_STREAMING}/fastconformer_hybrid_transducer_ctc_char_streaming.yaml": {
        "fp32-precision",
        "lr-too-high",
    },
    f"{LONG}/fast-conformer-long_ctc_bpe.yaml": {"fp32-precision", "no-gradient-clipping"},
    f"{LONG}/fast-conformer-long_transducer_bpe.yaml": {
        "fp32-precision",
        "no-gradient-clipping",
        "lr-too-high",
    },
    "speech_multitask/fast-conformer_aed.yaml": {
        "no-gradient-clipping",
        "validation-never-runs",
        "checkpoint-monitor-loss",
    },
}


@pytest.mark.parametrize("name", FOUND)
def test_an_example_has_the_findings_that_were_judged(name: str, shared_data: Path) -> None:
    found = lint_config(read_config(shared_data / "nemo_conf" / name)).found
    assert [each for each in found if each.level is Level.ERROR] == []
    assert {each.rule for each in found} - {"value-to-be-given"} == FOUND[name] - {
        "value-to-be-given"
    }
    assert all(each.rule in JUDGED for each in found)


def test_every_example_is_judged(shared_data: Path) -> None:
    folder = shared_data / "nemo_conf"
    assert {str(file.relative_to(folder)) for file in folder.rglob("*.yaml")} == set(FOUND)


def test_what_an_example_does_is_known(shared_data: Path) -> None:
    config = read_config(
        shared_data / "nemo_conf" / HYBRID / "fastconformer_hybrid_tdt_ctc_bpe.yaml"
    )
    assert {family.value for family in config.families} == {"tdt", "ctc"}
    assert config.trained is False


def test_the_mistake_of_fp16_is_found_in_an_example(shared_data: Path) -> None:
    """The TDT example with the precision that its neighbours suggest for older GPUs."""
    file = shared_data / "nemo_conf" / HYBRID / "fastconformer_hybrid_tdt_ctc_bpe.yaml"
    found = lint_config(read_config(file, ["trainer.precision=16"])).found
    assert [each.rule for each in found if each.level is Level.ERROR] == ["tdt-fp16"]
