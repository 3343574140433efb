"""Training runs: their logs as tables, rules that call a person, checkpoints to keep."""
