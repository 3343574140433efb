"""How long a suite of 20 expectations takes on a large manifest, against doing it by hand.

    python benchmarks/check.py [ROWS] [--against aggregate|pandas] [--rounds N] [--faulty]
        [--data FOLDER]

With `aggregate` the peer is one DuckDB statement that counts what fails of the same 20 questions on
the same Parquet files; with `pandas` it is Great Expectations on a pandas frame, loading included.
Both run as processes of their own, from their start, and have to count the same. With `--faulty`
one row in a thousand has a fault, of another kind each time, and asrdq also looks for these rows,
which the aggregate does not. With `--data` the rows are made once and kept there.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from made_up import write_manifest
from memory import Measure, best, measure

ROUNDS = 3
LIMIT_MB = 2500

ROWS_SQL = """
SELECT
    'utt-' || lpad((i - (fault IN (1, 2))::INT)::VARCHAR, 8, '0') AS utt_id,
    if(fault = 3, 'clip.mp3', '/data/speaker_' || (i % 5000) || '/' || i || '.flac') AS audio_path,
    CASE fault WHEN 4 THEN '' WHEN 5 THEN said || ' <unk>' WHEN 6 THEN said || ' [noise]'
        WHEN 7 THEN said || ' 12' WHEN 8 THEN said || '...'
        WHEN 9 THEN said || ' so so so so so' WHEN 10 THEN 'привет ' || said ELSE said END AS text,
    CASE fault WHEN 11 THEN 90.0 WHEN 12 THEN 0.2 ELSE
        round(length(said) / (10 + hash(i) % 6), 2) END AS duration_s,
    if(fault = 13, 'xx', 'en') AS language,
    if(fault = 14, NULL, 'spk' || (i % 5000)) AS speaker,
    if(fault = 15, 'street', ['clinic', 'phone', 'studio'][(1 + i % 3)::INTEGER]) AS domain,
    if(fault = 16, -40.0, (hash(i + 7) % 400) / 10) AS snr,
    if(fault = 17, 'x', 'take' || (i % 7)) AS take,
    if(fault = 18, 9, (i % 3)::INT) AS channel,
    if(fault = 19, NULL, i % 2 = 0) AS verified,
FROM (
    SELECT * REPLACE (if(i % 4 = 1, replace(said, ' this ', ' this, ') || '.', said) AS said)
    FROM (SELECT i, if({faulty} AND i % 1000 = 0, (i // 1000) % 20, 0) AS fault,
        -- 3 to 22 words whose frequencies fall as in language; one text in four has punctuation
        array_to_string(list_transform(range(3 + (hash(i + 5) % 20)::INTEGER), lambda k:
            words[1 + 2 * (2500 * pow((hash(i * 22 + k) % 1000003) / 1000003, 3))::INTEGER + k % 2]
        ), ' ') AS said
    FROM range({rows}) t(i), vocabulary))
"""
WORDS_SQL = """
CREATE TABLE vocabulary AS
WITH syllables(s) AS (
    VALUES (['the', 'of', 'to', 'and', 'we', 'in', 'is', 'it', 'you', 'that', 'he', 'was', 'for',
             'on', 'are', 'with', 'as', 'his', 'they', 'be', 'at', 'one', 'have', 'this']))
SELECT list(s[1 + n % 24] || if(n < 24, '', s[1 + n // 24 % 24])
    || if(n < 576, '', s[1 + n // 576 % 24]) ORDER BY n) AS words
FROM range(5004) t(n), syllables
"""

MARKUP = r"<[^<>]*>|&(?:[a-zA-Z]+|#\d+);|\*\*|__|```|https?://|\{[^{}]*\}"
BRACKETS = r"[\[\](){}<>⟨⟩«»【】「」]"
TWICE = r"\.{2,}|,{2,}|!{2,}|\?{2,}|;{2,}|:{2,}|…{2,}|-{2,}|–{2,}|—{2,}|/{2,}|'{2,}|\"{2,}|\*{2,}|_{2,}|~{2,}|#{2,}|&{2,}|%{2,}|\^{2,}|\+{2,}|={2,}|\|{2,}"  # noqa: E501


def suite() -> list[dict[str, Any]]:
    """Return the 20 expectations."""
    asked: list[tuple[str, dict[str, Any]]] = [
        ("expect_column_values_to_not_be_null", {"column": "utt_id"}),
        ("expect_column_values_to_be_unique", {"column": "utt_id"}),
        ("expect_column_values_to_match_regex",
         {"column": "utt_id", "regex": "^utt-[0-9]+$"}),
        ("expect_column_values_to_match_like_pattern",
         {"column": "audio_path", "like_pattern": "%.flac"}),
        ("expect_text_to_be_filled", {}),
        ("expect_text_without_markup", {}),
        ("expect_text_without_brackets", {}),
        ("expect_text_without_digits", {}),
        ("expect_text_without_repeated_punctuation", {}),
        ("expect_text_without_loops", {}),
        ("expect_text_in_alphabet_of_language", {"scripts": ["Latin"]}),
        ("expect_column_value_lengths_to_be_between", {"column": "text", "max_value": 400}),
        ("expect_duration_between", {"min_value": 0.5, "max_value": 40}),
        ("expect_characters_per_second_between", {"min_value": 5, "max_value": 20}),
        ("expect_column_values_to_be_in_set", {"column": "language", "value_set": ["en"]}),
        ("expect_column_values_to_not_be_null", {"column": "speaker"}),
        ("expect_labels_in_set",
         {"column": "domain", "labels": ["clinic", "phone", "studio"]}),
        ("expect_column_values_to_be_between",
         {"column": "snr", "min_value": 0, "max_value": 60}),
        ("expect_column_values_to_be_between",
         {"column": "channel", "min_value": 0, "max_value": 2}),
        ("expect_column_values_to_not_be_null", {"column": "verified"}),
    ]  # fmt: skip
    return [{"type": kind, "kwargs": kwargs, "severity": "warning"} for kind, kwargs in asked]


AGGREGATE = """
import json, sys
import duckdb
files = json.loads(sys.argv[1])
MARKUP, BRACKETS, TWICE = json.loads(sys.argv[2])
database = duckdb.connect()
database.execute('SET enable_progress_bar = false')
counts = database.execute('''
    WITH prepared AS (
        SELECT *, length(regexp_replace(text, '[^\\\\p{L}\\\\p{N}]+', '', 'g')) AS letters,
            string_split(lower(trim(text)), ' ') AS words,
        FROM read_parquet($files)
    )
    SELECT
        count(*) FILTER (utt_id IS NULL),
        (SELECT sum(n) FROM (SELECT count(*) AS n FROM prepared WHERE utt_id IS NOT NULL
                             GROUP BY utt_id HAVING n > 1)),
        count(*) FILTER (NOT regexp_matches(utt_id, '^utt-[0-9]+$')),
        count(*) FILTER (NOT audio_path LIKE '%.flac'),
        count(*) FILTER (text IS NULL OR NOT regexp_matches(text, '[\\\\p{L}\\\\p{N}]')),
        count(*) FILTER (regexp_matches(text, $markup)),
        count(*) FILTER (regexp_matches(text, $brackets)),
        count(*) FILTER (regexp_matches(text, '\\\\p{N}')),
        count(*) FILTER (regexp_matches(text, $twice)),
        count(*) FILTER (
            regexp_matches(text, '\\\\S{41}')
            OR (len(words) >= 10 AND list_unique(words) < 0.3 * len(words))
            OR (list_unique(words) <= len(words) - 3 AND (
                len(list_filter(range(1, len(words) - 2), lambda i: words[i] = words[i + 1]
                    AND words[i] = words[i + 2] AND words[i] = words[i + 3])) > 0
                OR len(list_filter(range(1, len(words) - 6), lambda i:
                    words[i:i + 5] = words[i + 2:i + 7])) > 0
                OR len(list_filter(range(1, len(words) - 10), lambda i:
                    words[i:i + 8] = words[i + 3:i + 11])) > 0
                OR len(list_filter(range(1, len(words) - 14), lambda i:
                    words[i:i + 11] = words[i + 4:i + 15])) > 0))),
        count(*) FILTER (
            regexp_matches(text, '[^\\\\p{Latin}\\\\p{Common}\\\\p{Inherited}\\\\P{L}]')),
        count(*) FILTER (length(text) > 400),
        count(*) FILTER (duration_s IS NULL OR NOT duration_s BETWEEN 0.5 AND 40),
        count(*) FILTER (text IS NULL OR duration_s IS NULL OR duration_s <= 0
                         OR NOT letters / duration_s BETWEEN 5 AND 20),
        count(*) FILTER (language <> 'en'),
        count(*) FILTER (speaker IS NULL),
        count(*) FILTER (domain IS NULL OR domain NOT IN ('clinic', 'phone', 'studio')),
        count(*) FILTER (NOT snr BETWEEN 0 AND 60),
        count(*) FILTER (NOT channel BETWEEN 0 AND 2),
        count(*) FILTER (verified IS NULL),
    FROM prepared
''', dict(files=files, markup=MARKUP, brackets=BRACKETS, twice=TWICE)).fetchone()
print(json.dumps([int(count or 0) for count in counts]))
"""

PANDAS = """
import json, os, sys
os.environ["GX_ANALYTICS_ENABLED"] = "False"
import great_expectations as gx
import pandas as pd
MARKUP, BRACKETS, TWICE = json.loads(sys.argv[2])
rows = pd.concat([pd.read_parquet(file) for file in json.loads(sys.argv[1])], ignore_index=True)
letters = rows["text"].str.replace("[^a-zA-Z0-9\u0430-\u044f]+", "", regex=True).str.len()
rows["characters_per_second"] = letters / rows["duration_s"]
E = gx.expectations
suite = gx.ExpectationSuite("twenty", [
    E.ExpectColumnValuesToNotBeNull(column="utt_id"),
    E.ExpectColumnValuesToBeUnique(column="utt_id"),
    E.ExpectColumnValuesToMatchRegex(column="utt_id", regex="^utt-[0-9]+$"),
    E.ExpectColumnValuesToMatchRegex(column="audio_path", regex=r"\\.flac$"),
    E.ExpectColumnValuesToMatchRegex(column="text", regex=r"[^\\W_]"),
    E.ExpectColumnValuesToNotMatchRegex(column="text", regex=MARKUP),
    E.ExpectColumnValuesToNotMatchRegex(column="text", regex=BRACKETS),
    E.ExpectColumnValuesToNotMatchRegex(column="text", regex=r"\\d"),
    E.ExpectColumnValuesToNotMatchRegex(column="text", regex=TWICE),
    E.ExpectColumnValuesToNotMatchRegex(column="text", regex=r"\\b(\\w+)(?: \\1){3}\\b"),
    E.ExpectColumnValuesToNotMatchRegex(column="text", regex="[\u0400-\u04ff]"),
    E.ExpectColumnValueLengthsToBeBetween(column="text", max_value=400),
    E.ExpectColumnValuesToBeBetween(column="duration_s", min_value=0.5, max_value=40),
    E.ExpectColumnValuesToBeBetween(column="characters_per_second", min_value=5, max_value=20),
    E.ExpectColumnValuesToBeInSet(column="language", value_set=["en"]),
    E.ExpectColumnValuesToNotBeNull(column="speaker"),
    E.ExpectColumnValuesToBeInSet(column="domain", value_set=["clinic", "phone", "studio"]),
    E.ExpectColumnValuesToBeBetween(column="snr", min_value=0, max_value=60),
    E.ExpectColumnValuesToBeBetween(column="channel", min_value=0, max_value=2),
    E.ExpectColumnValuesToNotBeNull(column="verified"),
])
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
source = context.data_sources.add_pandas("pandas").add_dataframe_asset("rows")
batch = source.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": rows})
found = batch.validate(suite, result_format="BASIC")
print(json.dumps([result.result["unexpected_count"] for result in found.results]))
"""

PEERS = {"aggregate": AGGREGATE, "pandas": PANDAS}


def make_workspace(rows: int, faulty: bool, folder: Path) -> Path:
    """Make a workspace with the suite and the manifest `train`, unless it is there; return it."""
    import duckdb

    from asrdq.workspace import Workspace

    root = folder / f"check-{rows}{'-faulty' if faulty else ''}"
    if (root / "complete").exists():
        return root
    Workspace.init(root)
    workspace = Workspace.open(root)
    document = {"name": "twenty", "expectations": suite()}
    (root / "expectations" / "twenty.json").write_text(json.dumps(document), encoding="utf-8")
    with duckdb.connect() as database:
        database.execute(WORDS_SQL)
        made = database.sql(ROWS_SQL.format(rows=rows, faulty=faulty))
        write_manifest(workspace, "train", made.to_arrow_reader(100_000), rows)
    (root / "complete").touch()
    return root


def parquet_files(root: Path) -> str:
    """Return the files of the manifest as JSON."""
    from asrdq.workspace import Workspace

    store = Workspace.open(root).store
    return json.dumps(store.files(store.open("manifests/train"), "manifests/train"))


def compare(root: Path, against: str, rounds: int, folder: Path) -> dict[str, float | str]:
    """Run both in turn, check that they count the same, and return the figures."""
    ours = [sys.executable, "-m", "asrdq", "--quiet", "check", "train", "--suite", "twenty"]
    ours += ["--format", "json", "--workspace", str(root)]
    patterns = json.dumps([MARKUP, BRACKETS, TWICE])
    theirs = [sys.executable, "-c", PEERS[against], parquet_files(root), patterns]
    ours_runs, peer_runs = [], []
    for _ in range(rounds):
        ours_runs.append(measure(ours, folder))
        counts = [row["rows"] for row in json.loads((folder / "output.txt").read_text())["checks"]]
        peer_runs.append(measure(theirs, folder))
        found = json.loads((folder / "output.txt").read_text().splitlines()[-1])
        if counts != found:
            raise SystemExit(f"the counts differ: {counts} and {found}")
    return figures(against, best(ours_runs), best(peer_runs))


def figures(against: str, ours: Measure, peer: Measure) -> dict[str, float | str]:
    """Return the ratio: ours by the aggregate, or pandas by ours; of wall and of processor time."""
    wall, cpu = ours.seconds / peer.seconds, ours.cpu_s / peer.cpu_s
    if against == "pandas":
        wall, cpu = 1 / wall, 1 / cpu
    return {
        "ratio": round(wall, 3),
        "cpu_ratio": round(cpu, 3),
        "check_s": round(ours.seconds, 2),
        "check_cpu_s": round(ours.cpu_s, 2),
        "check_peak_mb": round(ours.peak_mb),
        f"{against}_s": round(peer.seconds, 2),
        f"{against}_cpu_s": round(peer.cpu_s, 2),
        f"{against}_peak_mb": round(peer.peak_mb),
    }


def main() -> None:
    """Print the ratio of the times; fail where memory goes above 2.5 GB."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=10_000_000)
    parser.add_argument("--against", choices=list(PEERS), default="aggregate")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--faulty", action="store_true")
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = make_workspace(given.rows, given.faulty, given.data or Path(folder))
        measured = compare(root, given.against, given.rounds, Path(folder))
    print(json.dumps({**measured, "rows": given.rows}))
    if float(measured["check_peak_mb"]) > LIMIT_MB:
        raise SystemExit(f"peak memory is above {LIMIT_MB} MB")


if __name__ == "__main__":
    main()
