"""What a recogniser heard against what the transcript says: further reasons for low quality.

The limits are those that NeMo's `tools/ctc_segmentation` filters by. Faults that are planted on
copies of clips would change what a recogniser hears, so that these reasons are neither fitted nor
proven by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
from rapidfuzz.distance import Levenshtein

from asrdq.audit.reasons import Reason
from asrdq.audit.selection import Clip
from asrdq.audit.tables import HYPOTHESIS_SIGNALS
from asrdq.audit.trials import Flags, Trials, number_column
from asrdq.hypotheses import TABLE, resolve
from asrdq.settings import AuditSettings
from asrdq.text import spoken_words

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

EDGE_WORDS: Final = 3


@dataclass(frozen=True, slots=True)
class Signals:
    """How a hypothesis differs from a transcript, both as spoken words.

    Attributes:
        cer: Character edits ÷ characters of the transcript, with one space between words; an empty
            transcript has 0 where nothing was heard, else 1.
        edge_cer: The same over the first three words and over the last three; the larger one. What
            was heard before or behind the transcript counts to its edge.
        length_difference: Difference of the lengths in characters ÷ that of the transcript.
    """

    cer: float
    edge_cer: float
    length_difference: float


def signals_of(words: Sequence[str], heard: Sequence[str]) -> Signals:
    """Compare spoken words of a transcript with those that were heard.

    >>> signals_of(["one", "two"], ["one", "two"])
    Signals(cer=0.0, edge_cer=0.0, length_difference=0.0)
    >>> signals_of(["ab", "cd", "ef", "gh"], ["ab", "cd", "ef"]).edge_cer  # " gh" of "cd ef gh"
    0.375
    """
    text, hypothesis = " ".join(words), " ".join(heard)
    if not text:
        whole = 1.0 if hypothesis else 0.0
        return Signals(whole, whole, whole)
    edits = Levenshtein.editops(text, hypothesis)
    head = len(" ".join(words[:EDGE_WORDS]))
    tail = len(" ".join(words[-EDGE_WORDS:]))
    first = sum(edit.src_pos < head for edit in edits) / head
    last = sum(edit.src_pos >= len(text) - tail for edit in edits) / tail
    difference = abs(len(hypothesis) - len(text)) / len(text)
    return Signals(len(edits) / len(text), max(first, last), difference)


def hypothesis_signals(
    workspace: Workspace, manifest: ManifestVersion, argument: str, clips: Sequence[Clip]
) -> pa.Table:
    """Compare the clips with a set of hypotheses (schema `HYPOTHESIS_SIGNALS`, run_id null).

    Args:
        workspace: Where the set is.
        manifest: Whose clips they are.
        argument: Name of the set, or a file to read first (`r1=FILE`).
        clips: In the order of the rows.

    Returns:
        A row a clip. One without a hypothesis has nulls, and no reason follows from that.

    Raises:
        UsageError: There is no such set; those there are get named.
        DataError: No clip of the manifest has a hypothesis in it.
    """
    name = resolve(workspace, manifest, argument, ids="common")
    heard = _hypotheses(workspace, manifest, name)
    rows = []
    for clip in clips:
        text = heard.get(clip.utt_id)
        row: dict[str, object] = {
            "utt_id": clip.utt_id,
            "stratum": clip.stratum,
            "hyps": name,
            "hypothesis": text,
        }
        if text is not None:
            found = signals_of(clip.words, spoken_words(text, clip.language))
            row |= {
                "cer": found.cer,
                "edge_cer": found.edge_cer,
                "length_difference": found.length_difference,
            }
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=HYPOTHESIS_SIGNALS)


def hypothesis_reasons(
    signals: pa.Table, trials: Trials, settings: AuditSettings
) -> Mapping[Reason, Flags]:
    """Return for each reason the entries it holds for, (n,); never planted copies.

    Args:
        signals: From `hypothesis_signals`.
        trials: What is judged.
        settings: The limits.
    """
    place = {utt_id: at for at, utt_id in enumerate(signals["utt_id"].to_pylist())}
    rows = np.array([place[utt_id] for utt_id in trials.utt_ids.tolist()], dtype=np.int64)
    limits = {
        Reason.HYPOTHESIS_DIFFERS: ("cer", settings.hypothesis_cer_maximum),
        Reason.HYPOTHESIS_EDGE_DIFFERS: ("edge_cer", settings.hypothesis_edge_cer_maximum),
        Reason.HYPOTHESIS_LENGTH_DIFFERS: (
            "length_difference",
            settings.hypothesis_length_difference_maximum,
        ),
    }
    return {
        reason: trials.untouched & (number_column(signals[column])[rows] > limit)
        for reason, (column, limit) in limits.items()
    }


def with_run(signals: pa.Table, run_id: str) -> pa.Table:
    """Return the rows with the run that they belong to."""
    run = pa.array([run_id] * signals.num_rows, pa.string())
    return signals.set_column(signals.schema.get_field_index("run_id"), "run_id", run)


def _hypotheses(workspace: Workspace, manifest: ManifestVersion, name: str) -> dict[str, str]:
    found = workspace.query(
        f"SELECT utt_id, hypothesis FROM {TABLE} WHERE manifest = $manifest AND hyps = $name",
        {"manifest": manifest.name, "name": name},
    )
    return dict(zip(found["utt_id"].to_pylist(), found["hypothesis"].to_pylist(), strict=True))
