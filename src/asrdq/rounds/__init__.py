"""Two scored rounds compared, and what to do next."""
