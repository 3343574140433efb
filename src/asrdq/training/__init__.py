"""Training on exactly what was handed off: one protocol, a backend for each trainer."""
