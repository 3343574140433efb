"""Configurations of the tiny models: those of FastConformer and Canary, with everything small."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

MODEL_RATE: Final = 16_000
WIDTH: Final = 64
DURATIONS: Final = (0, 1, 2, 3, 4)
"""Durations of the TDT decoder, as Parakeet has them."""

CLASSES: Final = {
    "ctc": "EncDecCTCModelBPE",
    "rnnt": "EncDecRNNTBPEModel",
    "tdt": "EncDecRNNTBPEModel",
    "hybrid": "EncDecHybridRNNTCTCBPEModel",
    "aed": "EncDecMultiTaskModel",
}
"""NeMo's class of each family."""

_MODULES = "nemo.collections.asr.modules"
_NO_DATA = {"manifest_filepath": None, "defer_setup": True}
"""NeMo reads settings of its transcription here, and loads nothing before it is asked."""


def tiny_config(family: str, tokenizer: Path, special: Path) -> dict[str, Any]:
    """Return the configuration of a tiny model.

    Args:
        family: One of `CLASSES`.
        tokenizer: Folder of its SentencePiece tokenizer.
        special: Folder of the tokenizer of Canary's special tokens; only aed has one.
    """
    shared: dict[str, Any] = {
        "sample_rate": MODEL_RATE,
        "compute_eval_loss": True,
        "log_prediction": False,
        "skip_nan_grad": False,
        "tokenizer": {"dir": str(tokenizer), "type": "bpe"},
        "preprocessor": _preprocessor(),
        "spec_augment": _no_masks(),
        "encoder": _encoder(),
        "train_ds": dict(_NO_DATA),
        "validation_ds": dict(_NO_DATA),
    }
    if family == "ctc":
        return shared | _ctc()
    if family == "aed":
        return shared | _canary(tokenizer, special)
    return shared | _transducer(family)


def _preprocessor() -> dict[str, Any]:
    return {
        "_target_": f"{_MODULES}.AudioToMelSpectrogramPreprocessor",
        "sample_rate": MODEL_RATE,
        "normalize": "per_feature",
        "window_size": 0.025,
        "window_stride": 0.01,
        "window": "hann",
        "features": 80,
        "n_fft": 512,
        "log": True,
        "frame_splicing": 1,
        "dither": 1e-5,
        "pad_to": 0,
    }


def _no_masks() -> dict[str, Any]:
    masks = {"freq_masks": 0, "time_masks": 0, "freq_width": 27, "time_width": 0.05}
    return {"_target_": f"{_MODULES}.SpectrogramAugmentation", **masks}


def _encoder() -> dict[str, Any]:
    """Return the encoder; fourfold subsampling leaves short words enough frames for CTC."""
    return {
        "_target_": f"{_MODULES}.ConformerEncoder",
        "feat_in": 80,
        "feat_out": -1,
        "n_layers": 2,
        "d_model": WIDTH,
        "subsampling": "dw_striding",
        "subsampling_factor": 4,
        "subsampling_conv_channels": 16,
        "ff_expansion_factor": 2,
        "self_attention_model": "rel_pos",
        "n_heads": 4,
        "att_context_size": [-1, -1],
        "xscaling": False,
        "untie_biases": True,
        "pos_emb_max_len": 5000,
        "conv_kernel_size": 9,
        "conv_norm_type": "batch_norm",
        "dropout": 0.0,
        "dropout_pre_encoder": 0.0,
        "dropout_emb": 0.0,
        "dropout_att": 0.0,
    }


def _ctc_decoder(feat_in: int | None) -> dict[str, Any]:
    target = f"{_MODULES}.ConvASRDecoder"
    return {"_target_": target, "feat_in": feat_in, "num_classes": -1, "vocabulary": []}


def _ctc() -> dict[str, Any]:
    return {
        "decoder": _ctc_decoder(WIDTH),
        "ctc_reduction": "mean_batch",
        "decoding": {"strategy": "greedy_batch"},
    }


def _transducer(family: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "rnnt_reduction": "mean_batch",
        "model_defaults": {"enc_hidden": WIDTH, "pred_hidden": WIDTH, "joint_hidden": WIDTH},
        "decoder": {
            "_target_": f"{_MODULES}.RNNTDecoder",
            "normalization_mode": None,
            "random_state_sampling": False,
            "blank_as_pad": True,
            "prednet": {
                "pred_hidden": WIDTH,
                "pred_rnn_layers": 1,
                "t_max": None,
                "dropout": 0.0,
            },
        },
        "joint": {
            "_target_": f"{_MODULES}.RNNTJoint",
            "log_softmax": None,
            "preserve_memory": False,
            "fuse_loss_wer": True,
            "fused_batch_size": 16,
            "jointnet": {"joint_hidden": WIDTH, "activation": "relu", "dropout": 0.0},
        },
        "decoding": {"strategy": "greedy_batch", "greedy": {"max_symbols": 10}},
        "loss": {
            "loss_name": "default",
            "warprnnt_numba_kwargs": {"fastemit_lambda": 0.0, "clamp": -1.0},
        },
    }
    if family == "tdt":
        _with_durations(found)
    if family == "hybrid":
        found["aux_ctc"] = {
            "ctc_loss_weight": 0.3,
            "use_cer": False,
            "ctc_reduction": "mean_batch",
            "decoder": _ctc_decoder(None),
            "decoding": {"strategy": "greedy_batch"},
        }
    return found


def _with_durations(config: dict[str, Any]) -> None:
    durations = list(DURATIONS)
    config["model_defaults"] |= {
        "tdt_durations": durations,
        "num_tdt_durations": len(durations),
    }
    config["joint"]["num_extra_outputs"] = len(durations)
    config["decoding"] |= {"model_type": "tdt", "durations": durations}
    settings = {"fastemit_lambda": 0.0, "clamp": -1.0, "sigma": 0.02, "omega": 0.1}
    config["loss"] = {
        "loss_name": "tdt",
        "tdt_kwargs": {"durations": durations, **settings},
    }


def _canary(tokenizer: Path, special: Path) -> dict[str, Any]:
    hidden = {"hidden_size": WIDTH, "inner_size": 2 * WIDTH, "num_attention_heads": 4}
    no_dropout = {"ffn_dropout": 0.0, "attn_score_dropout": 0.0, "attn_layer_dropout": 0.0}
    languages = {"spl_tokens": special, "en": tokenizer}
    return {
        "label_smoothing": 0.0,
        "prompt_format": "canary",
        "restore_timestamps_model": False,
        "model_defaults": {
            "asr_enc_hidden": WIDTH,
            "lm_enc_hidden": WIDTH,
            "lm_dec_hidden": WIDTH,
        },
        "tokenizer": {
            "dir": None,
            "type": "agg",
            "langs": {name: {"dir": str(at), "type": "bpe"} for name, at in languages.items()},
            "custom_tokenizer": {
                "_target_": "nemo.collections.common.tokenizers.canary_tokenizer.CanaryTokenizer",
                "tokenizers": None,
            },
        },
        "transf_encoder": {
            "_target_": f"{_MODULES}.transformer.transformer_encoders.TransformerEncoder",
            "num_layers": 0,
            **hidden,
            **no_dropout,
            "mask_future": False,
            "pre_ln": True,
            "pre_ln_final_layer_norm": True,
        },
        "transf_decoder": {
            "_target_": f"{_MODULES}.transformer.get_nemo_transformer",
            "model_name": None,
            "pretrained": False,
            "encoder": None,
            "pre_ln_final_layer_norm": True,
            "config_dict": {
                "max_sequence_length": 512,
                "num_token_types": 0,
                "embedding_dropout": 0.0,
                "learn_positional_encodings": False,
                "num_layers": 1,
                **hidden,
                **no_dropout,
                "hidden_act": "relu",
                "pre_ln": True,
                "vocab_size": None,
            },
        },
        "head": {
            "_target_": "nemo.collections.asr.parts.submodules.token_classifier.TokenClassifier",
            "num_layers": 1,
            "activation": "relu",
            "log_softmax": True,
            "hidden_size": WIDTH,
            "num_classes": None,
            "dropout": 0.0,
            "use_transformer_init": True,
        },
        "decoding": {
            "strategy": "beam",
            "return_best_hypothesis": True,
            "beam": {"beam_size": 1, "len_pen": 0.0, "max_generation_delta": 50},
        },
        "loss": {
            "_target_": "nemo.collections.common.losses.smoothed_cross_entropy"
            ".SmoothedCrossEntropyLoss",
            "label_smoothing": 0.0,
            "pad_id": None,
        },
    }
