"""Transcribers: what turns audio into hypotheses."""
