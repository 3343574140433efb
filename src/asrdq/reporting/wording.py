"""Codes of the tables in words that need no manual."""

from __future__ import annotations

from typing import Final

REASONS: Final = {
    "missing_audio": "there is no audio file at the path",
    "unreadable_audio": "the audio file cannot be read",
    "empty_audio": "the audio file holds no sample",
    "silent_audio": "nobody speaks in the audio",
    "empty_text": "the transcript is empty",
    "no_alignment": "the transcript could not be laid over the audio at all",
    "low_text_coverage": "too few words of the transcript found a plausible place",
    "low_speech_coverage": "too much speech lies outside the words of the transcript",
    "low_confidence": "the sound does not support the transcript",
    "length_mismatch": "the transcript is far too long or too short for the audio",
    "duration_differs": "the manifest states another duration than the audio has",
    "hypothesis_differs": "a recogniser heard something else than the transcript",
    "hypothesis_edge_differs": "a recogniser heard another beginning or end than the transcript",
    "hypothesis_length_differs": "a recogniser heard far more or less than the transcript",
}

INSTRUMENT: Final = {
    "too_weak": "the instrument is too weak for this stratum: it hardly tells planted faults from "
    "untouched clips, or hardly aligns those",
    "too_few": "too few clips to fit and prove a threshold in this stratum",
    "out_of_vocabulary": "a word has no known pronunciation",
    "not_imported": "no alignment was there to be imported",
    "too_long": "the clip is too long for the aligner",
    "aligner_crashed": "the aligner crashed on this clip, twice",
    "aligner_failed": "the aligner failed on this clip",
}

FAULTS: Final = {
    "swapped_text": "another clip’s transcript",
    "extra_words": "three words too many",
    "half_audio": "audio cut in half",
    "missing_words": "last 30 % of the words missing",
    "substituted_words": "30 % of the words replaced",
    "substituted_word": "one word replaced",
    "silence": "audio replaced by silence",
    "noise": "audio replaced by noise",
    "untouched": "false alarms on untouched clips",
}

CALIBRATIONS: Final = {
    "ok": "proven",
    "too_weak": "too weak to judge",
    "too_few": "too few clips",
    "shipped": "not proven: shipped thresholds, not calibrated for this aligner and language",
    "stored": "not proven: thresholds of asrdq calibrate, no faults planted here",
    None: "not proven",
}

RATES: Final = {
    "population": "weighted to the whole manifest: each stratum counts as much as it has rows",
    "sample": "plain share among the judged clips",
    "corrected": "population rate, corrected for what the audit misses and for its false alarms",
}

AUDIO_STATUS: Final = {
    "missing_audio": "no file",
    "unreadable_audio": "cannot be read",
    "empty_audio": "no sample in it",
    "truncated_audio": "cut off",
    "damaged_audio": "parts are damaged",
    "segment_outside_audio": "segment begins after the end",
    "probe_crashed": "decoder crashed",
    "probe_timed_out": "decoder took too long",
    "probe_raised": "decoder failed",
}


def explain(code: str, words: dict[str, str]) -> str:
    """Return a code in words; one that is not known is shown as it is.

    >>> explain("empty_text", REASONS)
    'the transcript is empty'
    """
    return words.get(code, code.replace("_", " "))
