"""Alignments that were made elsewhere: files of many kinds, and the clips that they are of."""

from asrdq.alignment.imported.aligner import ImportedAligner

__all__ = ["ImportedAligner"]
