"""Training with NeMo: CTC, RNNT, TDT, hybrid and Canary models."""
