"""Normalisers: what counts as the same text, by name, version and hash."""

from asrdq.text.normalisers.normaliser import Normaliser
from asrdq.text.normalisers.registry import normaliser, normaliser_names

__all__ = ["Normaliser", "normaliser", "normaliser_names"]
