"""Readers of configurations: each turns what a framework is told into a `Config`."""
