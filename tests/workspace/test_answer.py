"""What a question in SQL gives in Python."""

from __future__ import annotations

import sys

import polars as pl
import pyarrow as pa
import pytest

import asrdq
from asrdq.errors import UsageError
from asrdq.workspace import Answer, Workspace


@pytest.fixture
def audits(workspace: Workspace) -> Workspace:
    """A workspace with one result table."""
    rows = {"utt_id": ["a", "b", "c"], "coverage": [0.5, 1.0, None]}
    workspace.append("audits", pa.table(rows))
    return workspace


def test_an_answer_is_arrow_polars_and_pandas(audits: Workspace) -> None:
    answer = asrdq.open(audits.root).sql("SELECT utt_id, coverage FROM audits ORDER BY 1")
    assert isinstance(answer, Answer)
    expected = {"utt_id": ["a", "b", "c"], "coverage": [0.5, 1.0, None]}
    assert answer.arrow().to_pydict() == expected
    assert answer.pl().to_dict(as_series=False) == expected
    assert answer.df()["utt_id"].tolist() == ["a", "b", "c"]
    assert pa.table(answer).to_pydict() == expected
    assert pl.DataFrame(answer).to_dict(as_series=False) == expected
    assert answer.summary() == "3 rows: utt_id string, coverage double"
    assert answer.to_dict()["rows"][2] == {"utt_id": "c", "coverage": None}


def test_an_empty_answer_has_its_columns(audits: Workspace) -> None:
    answer = audits.sql("FROM audits WHERE false")
    assert answer.pl().shape == (0, 2)
    assert list(answer.df().columns) == ["utt_id", "coverage"]


def test_without_pandas_it_says_so(audits: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="pandas is not installed"):
        audits.sql("SELECT 1 AS n").df()


@pytest.mark.parametrize("minimum", [0.6, "0.6"])
def test_parameters_have_the_type_that_their_place_asks_for(
    audits: Workspace, minimum: object
) -> None:
    found = audits.sql("SELECT utt_id FROM audits WHERE coverage > $least", {"least": minimum})
    assert found.rows["utt_id"].to_pylist() == ["b"]


def test_a_parameter_is_never_sql(audits: Workspace) -> None:
    found = audits.sql("SELECT utt_id FROM audits WHERE utt_id = $id", {"id": "a' OR 'a' = 'a"})
    assert found.rows.num_rows == 0


@pytest.mark.parametrize(
    ("query", "parameters", "message"),
    [
        ("FROM audits WHERE coverage > $least", {}, r"\$least has no value\n→ --param least="),
        ("FROM audits", {"least": 1}, "the statement has no parameter"),
        ("FROM audits WHERE coverage > $a", {"a": 1, "b": 2}, r"has no parameter \$b"),
        ("FROM audits WHERE coverage > $a", {"a": "much"}, "Could not convert"),
    ],
)
def test_wrong_parameters_are_told(
    audits: Workspace, query: str, parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        audits.sql(query, parameters)
