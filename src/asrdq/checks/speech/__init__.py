"""The expectations of our own; importing this package fills `RULES`."""

from asrdq.checks.speech import audio, durations, groups, judged, manifests, patterns, texts

__all__ = ["audio", "durations", "groups", "judged", "manifests", "patterns", "texts"]
