"""Rows written in a format and read back are the rows they were, as far as it holds them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asrdq.manifests.columns import CANONICAL, NUMBERS, FieldMap
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.protocol import ManifestFormat
from asrdq.manifests.formats.qwen_languages import target_language
from asrdq.manifests.formats.registry import find_writable
from asrdq.manifests.outgoing import file_names

pytestmark = pytest.mark.slow

names = st.text("abcXYZ019_-", min_size=1, max_size=6)
lines = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=5)
words = st.lists(lines, max_size=4).map(" ".join)
plain_words = st.lists(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5), min_size=1, max_size=4
).map(" ".join)
small = st.integers(-(10**17), 10**17)
tagged = names.map("note {}".format)
seconds = st.integers(1, 10**7).map(lambda n: n / 1000)
KNOWN_AUDIO = {"sampling_rate": st.just(16000), "num_samples": st.just(160_000_000)}


def stays(language: str) -> bool:
    """Whether Qwen's lines have the language as it is: codes and names of it become one name."""
    return language != "None" and target_language(language) == language


@dataclass(frozen=True)
class Case:
    """A format, the columns it is to bring back, and what stands in them."""

    name: str
    target: str
    columns: Mapping[str, st.SearchStrategy[Any]]
    optional: frozenset[str] = frozenset()
    extra: Mapping[str, st.SearchStrategy[Any]] = field(default_factory=dict)
    folder: str = "clips/"


ALL = {
    "text": words,
    "duration_s": seconds,
    "offset_s": seconds,
    "language": names,
    "speaker": names,
    "take": st.integers(-(2**62), 2**62),
    "my note": words,
}
SEGMENTS = {name: ALL[name] for name in ("text", "duration_s", "offset_s", "speaker")}
OPTIONAL = frozenset({"duration_s", "offset_s", "language", "speaker", "take"})
CASES = [
    Case("nemo", "m.jsonl", ALL, OPTIONAL),
    Case("nemo", "m.jsonl.gz", ALL, OPTIONAL),
    Case("parquet", "m.parquet", ALL, OPTIONAL),
    Case("kaldi", "data", SEGMENTS, frozenset({"duration_s", "offset_s", "speaker"})),
    Case("lhotse", "cuts.jsonl", ALL, OPTIONAL - {"duration_s"}, KNOWN_AUDIO),
    Case("lhotse", "cuts.jsonl.gz", ALL, OPTIONAL - {"duration_s"}, KNOWN_AUDIO),
    Case("qwen", "m.jsonl", {**ALL, "language": names.filter(stays)}, OPTIONAL),
    Case(
        "commonvoice",
        "m.tsv",
        {**ALL, "my note": tagged, "take": small},
        OPTIONAL,
    ),
    Case(
        "stm",
        "m.stm",
        {**SEGMENTS, "text": words.filter(lambda text: not text.startswith(("<", ";;")))},
        folder="",
    ),
    Case("ljspeech", "metadata.csv", {"text": plain_words}, folder="wavs/"),
    Case("lhotse-pair", "data", ALL, OPTIONAL - {"duration_s"}, KNOWN_AUDIO),
]


def rows_for(case: Case) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows of a manifest table in order of their ids, one file a row."""
    cells = {
        name: st.none() | cell if name in case.optional else cell
        for name, cell in {**case.columns, **case.extra}.items()
    }
    made = st.dictionaries(names, st.fixed_dictionaries(cells), min_size=1, max_size=6)
    return made.map(
        lambda found: [
            {"utt_id": utt_id, "audio_path": f"{case.folder}{utt_id}.wav", **found[utt_id]}
            for utt_id in sorted(found)
        ]
    )


def as_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows in the types of a manifest table."""
    kinds = {name: pa.float64() if name in NUMBERS else pa.string() for name in CANONICAL}
    kinds |= dict.fromkeys(("take", "sampling_rate", "num_samples"), pa.int64())
    columns = {name: [row.get(name) for row in rows] for name in rows[0]}
    return pa.table({k: pa.array(v, kinds.get(k, pa.string())) for k, v in columns.items()})


def read_back(path: Path, known: ManifestFormat) -> list[dict[str, Any]]:
    """All rows of a file or folder under the names of the manifest table."""
    fields, rows = FieldMap(known.aliases), []
    for chunk in known.split(path):
        parsed = known.parse(chunk, frozenset())
        assert not parsed.rejects
        outputs = fields.outputs(parsed.rows.column_names)
        rows += parsed.rows.rename_columns(outputs).to_pylist()
    return rows


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.target}")
@settings(max_examples=20)
@given(st.data())
def test_rows_come_back(case: Case, data: st.DataObject) -> None:
    rows = data.draw(rows_for(case))
    table, target = as_table(rows), find_writable(case.name)
    written = table.rename_columns(file_names(table.column_names, target.aliases, {}))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / case.target
        target.write(written.to_reader(max_chunksize=2), Destination(path))
        reader = find_writable(case.name.removesuffix("-pair"))
        back = {row["audio_path"]: row for row in read_back(path, reader)}
    columns = [*(["utt_id"] if case.name != "stm" else []), *case.columns]
    assert {path: shown(row, columns) for path, row in back.items()} == {
        row["audio_path"]: shown(row, columns) for row in rows
    }


def shown(row: dict[str, Any], columns: list[str]) -> dict[str, Any]:
    """What is compared; a segment from 0 on and a whole file are one where a format says so."""
    safe = {"my note": "my_note"}
    found = {c: row.get(c, row.get(safe.get(c, c))) for c in columns}
    return found | {"offset_s": row.get("offset_s") or None, "text": row.get("text") or ""}
