"""Error rates of hypotheses, per utterance, term and group, with intervals."""
