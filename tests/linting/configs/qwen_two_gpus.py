"""Settings of a gradual fine-tuning of Qwen3-ASR on two A100 with 40 GB. Read, never run."""

import os
from dataclasses import dataclass, field

raise SystemExit("a lint must not run this")


@dataclass
class TrainingConfig:
    model_name: str = "Qwen/Qwen3-ASR-1.7B"
    output_dir: str = os.environ.get("OUT", "./round2")
    max_audio_length_seconds: float = 15.0
    batch_size: int = 2  # what 40 GB hold
    gradient_accumulation_steps: int = 16
    learning_rate: float = 5e-5
    projector_lr: float = 2e-4
    num_epochs: int = 5
    warmup_ratio: float = field(default=0.03)
    max_grad_norm: float = 1.0
    bf16: bool = True
    eval_strategy: str = "steps"
    eval_steps: int = 500
    logging_steps: int = 100
    metric_for_best_model: str = "wer"
    greater_is_better: bool = False
