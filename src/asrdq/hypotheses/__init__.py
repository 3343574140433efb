"""What a recogniser heard: read from files, joined with a manifest, kept by name."""
