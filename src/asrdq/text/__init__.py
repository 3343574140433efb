"""Text as it is spoken: words, numbers and languages."""

from asrdq.text.languages import language_code
from asrdq.text.spoken import character_count, spoken_words

__all__ = ["character_count", "language_code", "spoken_words"]
