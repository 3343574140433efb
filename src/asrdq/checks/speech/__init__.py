"""The expectations of our own; importing this package fills `RULES`."""

from asrdq.checks.speech import audio, durations, groups, manifests, patterns, texts

__all__ = ["audio", "durations", "groups", "manifests", "patterns", "texts"]
