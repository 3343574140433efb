"""The names of Hugging Face's TrainingArguments, and those that scripts use for the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asrdq.linting.config import Knob

FIELDS: Mapping[Knob, tuple[tuple[str, ...], Any]] = {
    Knob.BASE_MODEL: (
        ("model_name_or_path", "model_name", "model_id", "model_path", "base_model"),
        None,
    ),
    Knob.LEARNING_RATE: (("learning_rate", "lr"), 5e-5),
    Knob.SCHEDULE: (("lr_scheduler_type",), "linear"),
    Knob.WARMUP_STEPS: (("warmup_steps",), 0),
    Knob.WARMUP_RATIO: (("warmup_ratio",), None),
    Knob.MAX_STEPS: (("max_steps",), -1),
    Knob.MAX_EPOCHS: (("num_train_epochs", "num_epochs", "epochs"), 3.0),
    Knob.GRADIENT_CLIP: (("max_grad_norm",), 1.0),
    Knob.ACCUMULATION: (("gradient_accumulation_steps", "grad_acc_steps"), 1),
    Knob.DEVICES: (("num_gpus", "n_gpus", "num_devices"), None),
    Knob.VAL_INTERVAL: (("eval_steps",), None),
    Knob.LOG_INTERVAL: (("logging_steps",), 500),
    Knob.BATCH_SIZE: (("per_device_train_batch_size", "batch_size", "train_batch_size"), 8),
    Knob.VAL_BATCH_SIZE: (("per_device_eval_batch_size", "eval_batch_size"), 8),
    Knob.MIN_DURATION: (
        ("min_duration_in_seconds", "min_audio_length_seconds", "min_duration_s"),
        None,
    ),
    Knob.MAX_DURATION: (
        (
            "max_duration_in_seconds",
            "max_audio_length_seconds",
            "max_audio_length_s",
            "max_duration_s",
        ),
        None,
    ),
    Knob.MONITOR: (("metric_for_best_model",), None),
    Knob.TOKENIZER: (("tokenizer_name_or_path", "tokenizer_name"), None),
}
"""The names of each knob, that of TrainingArguments first, and what it takes without."""

STRATEGIES = ("eval_strategy", "evaluation_strategy")
ADAPTERS = ("lora_r", "use_lora", "lora_rank", "peft_config")
PATHS = ("train_file", "validation_file", "eval_file", "train_manifest", "val_manifest")

_ARGUMENTS = """
output_dir overwrite_output_dir do_train do_eval do_predict eval_strategy evaluation_strategy
prediction_loss_only per_device_train_batch_size per_device_eval_batch_size
gradient_accumulation_steps eval_accumulation_steps eval_delay torch_empty_cache_steps
learning_rate weight_decay adam_beta1 adam_beta2 adam_epsilon max_grad_norm num_train_epochs
max_steps lr_scheduler_type lr_scheduler_kwargs warmup_ratio warmup_steps log_level
log_level_replica log_on_each_node logging_dir logging_strategy logging_first_step
logging_steps logging_nan_inf_filter save_strategy save_steps save_total_limit
save_safetensors save_on_each_node save_only_model restore_callback_states_from_checkpoint
no_cuda use_cpu use_mps_device seed data_seed jit_mode_eval use_ipex bf16 fp16 fp16_opt_level
half_precision_backend bf16_full_eval fp16_full_eval tf32 local_rank ddp_backend tpu_num_cores
tpu_metrics_debug debug dataloader_drop_last eval_steps dataloader_num_workers
dataloader_prefetch_factor past_index run_name disable_tqdm remove_unused_columns label_names
load_best_model_at_end metric_for_best_model greater_is_better ignore_data_skip fsdp
fsdp_min_num_params fsdp_config fsdp_transformer_layer_cls_to_wrap accelerator_config
parallelism_config deepspeed label_smoothing_factor optim optim_args adafactor group_by_length
length_column_name report_to project trackio_space_id ddp_find_unused_parameters
ddp_bucket_cap_mb ddp_broadcast_buffers ddp_timeout dataloader_pin_memory
dataloader_persistent_workers skip_memory_metrics use_legacy_prediction_loop push_to_hub
resume_from_checkpoint hub_model_id hub_strategy hub_token hub_private_repo
hub_always_push hub_revision gradient_checkpointing gradient_checkpointing_kwargs
include_inputs_for_metrics include_for_metrics eval_do_concat_batches fp16_backend mp_parameters
auto_find_batch_size full_determinism torchdynamo ray_scope torch_compile
torch_compile_backend torch_compile_mode include_tokens_per_second
include_num_input_tokens_seen neftune_noise_alpha optim_target_modules batch_eval_metrics
eval_on_start use_liger_kernel liger_kernel_config eval_use_gather_object
average_tokens_across_devices use_cache train_sampling_strategy enable_jit_checkpoint
sortish_sampler predict_with_generate generation_max_length generation_num_beams
generation_config
"""
ARGUMENTS = frozenset(_ARGUMENTS.split())
"""Names of TrainingArguments and Seq2SeqTrainingArguments, of versions 4 and 5."""

KNOWN = ARGUMENTS | {name for names, _ in FIELDS.values() for name in names} | set(ADAPTERS)
KNOWN |= set(PATHS)
