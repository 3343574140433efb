"""Round after round: hand-off, training, transcription, scores, comparison, in one command."""
