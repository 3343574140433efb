"""Training Qwen3-ASR with Hugging Face's Trainer."""
