"""The same on eight A100: batch and accumulation of the machine before, steps divided by four."""

from dataclasses import dataclass


@dataclass
class TrainingConfig:
    model_name: str = "Qwen/Qwen3-ASR-1.7B"
    num_gpus: int = 8
    max_audio_length_seconds: float = 15.0
    batch_size: int = 4
    gradient_accumulation_steps: int = 8
    learning_rate: float = 5e-5
    num_epochs: int = 5
    max_steps: int = 3_650
    warmup_ratio: float = 0.03
    max_grad_norm: float = 1.0
    bf16: bool = True
    eval_strategy: str = "steps"
    eval_steps: int = 500
    logging_steps: int = 50
    metric_for_best_model: str = "wer"
    greater_is_better: bool = False
