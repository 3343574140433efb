"""The rules that are held against a run."""
