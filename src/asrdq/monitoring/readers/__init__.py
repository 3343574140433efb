"""Readers of the logs of trainers."""
