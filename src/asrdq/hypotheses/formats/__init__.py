"""Files of hypotheses, format by format; what manifests are read with serves here too."""
