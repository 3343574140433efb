"""Scoring in a workspace: rates by group, tables, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from asrdq.errors import DataError, UsageError
from asrdq.hypotheses import HYPOTHESES, TABLE
from asrdq.scoring import ScorePlan, ScoreResult, score_hypotheses

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

pytestmark = pytest.mark.slow

ROWS: list[dict[str, Any]] = [
    # id, text, hypothesis, domain, term, category, speaker
    ("a", "Give cefazolin now.", "give cefazolin now", "clinic", "cefazolin", "drug", "s1"),
    ("b", "take aspirin daily", "take as per in daily", "clinic", "aspirin", "drug", "s1"),
    ("c", "signs of sepsis", "signs of sepsis", "phone", "sepsis", "condition", "s2"),
    ("d", "", "hello", "phone", None, None, "s2"),
    ("e", "see you", "", "phone", "knee", "procedure", None),
    ("f", "so long", "so long", None, "", "drug", None),
]
NAMES = ("id", "text", "hypothesis", "domain", "term", "entity_category", "speaker")
GIVEN = [dict(zip(NAMES, row, strict=True)) for row in ROWS]

Scored = Callable[..., ScoreResult]


@pytest.fixture
def manifest(ingest: Callable[..., ManifestVersion]) -> ManifestVersion:
    return ingest(
        [
            {"audio_filepath": f"{row['id']}.wav", "duration": 4.0 + 6 * number, **row}
            for number, row in enumerate(GIVEN)
        ],
        "eval",
    )


def put(workspace: Workspace, texts: dict[str, str], hyps: str = "r1") -> None:
    rows = [
        {"hyps": hyps, "manifest": "eval", "utt_id": key, "hypothesis": text, "run_id": "made"}
        for key, text in texts.items()
    ]
    workspace.replace(
        TABLE, pa.Table.from_pylist(rows, schema=HYPOTHESES), hyps=hyps, manifest="eval"
    )


@pytest.fixture
def scored(workspace: Workspace, manifest: ManifestVersion) -> Scored:
    put(workspace, {row["id"]: row["hypothesis"] for row in GIVEN})

    def score(**plan: Any) -> ScoreResult:
        return score_hypotheses(workspace, manifest, "r1", ScorePlan(**plan))

    return score


def rates(result: ScoreResult, metric: str, grouped_by: str) -> dict[str, float]:
    return {
        row["member"]: row["rate"]
        for row in result.groups.to_pylist()
        if (row["metric"], row["grouped_by"]) == (metric, grouped_by)
    }


def test_counts_and_rates_of_everything(scored: Scored) -> None:
    result = scored()
    everything = result.rate("wer")
    counted = {
        name: everything[name]
        for name in ("utterances", "wrong", "words", "hits", "substitutions", "deletions")
    }
    assert counted == {
        "utterances": 6,
        "wrong": 3,
        "words": 13,
        "hits": 10,
        "substitutions": 1,
        "deletions": 2,
    }
    assert everything["insertions"] == 3
    assert everything["rate"] == pytest.approx(6 / 13)
    assert everything["units"] == 13
    assert result.rate("ser")["rate"] == 0.5
    assert result.rate("ker")["rate"] == pytest.approx(1 / 3)
    assert (result.rows, result.missing, result.empty_references) == (6, 0, 1)


def test_rates_by_groups(scored: Scored) -> None:
    result = scored(by=["domain", "domain+entity_category", "duration_bucket"])
    assert rates(result, "wer", "domain") == pytest.approx(
        {"clinic": 3 / 6, "phone": 3 / 5, "(none)": 0}
    )
    both = rates(result, "ker", "domain+entity_category")
    assert both["clinic + drug"] == 0.5
    assert both["phone + condition"] == 0
    assert rates(result, "ser", "duration_bucket") == pytest.approx(
        {"< 5 s": 0, "5 to 15 s": 1, "15 s and longer": 2 / 4}
    )


def test_rates_of_terms_worst_first_in_sql(workspace: Workspace, scored: Scored) -> None:
    scored()
    found = workspace.sql(
        "SELECT member, rate FROM score_groups WHERE grouped_by = 'term' ORDER BY rate DESC, 1"
    )
    assert found.arrow().to_pylist() == [
        {"member": "aspirin", "rate": 1.0},
        {"member": "cefazolin", "rate": 0.0},
        {"member": "sepsis", "rate": 0.0},
    ]


def test_faults_of_terms_are_told_and_not_scored(scored: Scored) -> None:
    result = scored()
    assert result.fault_counts == {"absent_from_reference": 1, "empty_term": 1}
    told = [(row["utt_id"], row["text"], row["fault"]) for row in result.faults.to_pylist()]
    assert told == [("e", "knee", "absent_from_reference"), ("f", "", "empty_term")]


def test_wrong_words_are_rows_of_a_table(workspace: Workspace, scored: Scored) -> None:
    scored()
    found = workspace.sql(
        "SELECT utt_id, kind, reference, hypothesis, position FROM word_edits ORDER BY ALL"
    )
    rows = [tuple(row.values()) for row in found.arrow().to_pylist()]
    assert rows == [
        ("b", "insertion", None, "as", 1),
        ("b", "insertion", None, "per", 1),
        ("b", "substitution", "aspirin", "in", 1),
        ("d", "insertion", None, "hello", 0),
        ("e", "deletion", "see", None, 0),
        ("e", "deletion", "you", None, 1),
    ]


def test_every_score_names_its_normaliser(workspace: Workspace, scored: Scored) -> None:
    result = scored(normaliser="clinical")
    found = workspace.sql(
        "SELECT DISTINCT run_id, hyps, manifest, normaliser, normaliser_version, normaliser_hash "
        "FROM scores"
    )
    assert found.arrow().to_pylist() == [
        {
            "run_id": result.run_id,
            "hyps": "r1",
            "manifest": "eval@0",
            "normaliser": "clinical",
            "normaliser_version": result.normaliser_version,
            "normaliser_hash": result.normaliser_hash,
        }
    ]


def test_scoring_again_takes_the_place_of_the_former_scores(
    workspace: Workspace, scored: Scored
) -> None:
    scored(normaliser="none")
    scored()
    again = scored()
    found = workspace.sql("SELECT normaliser, count(*) AS n FROM scores GROUP BY 1 ORDER BY 1")
    assert found.arrow().to_pylist() == [
        {"normaliser": "basic", "n": 6},
        {"normaliser": "none", "n": 6},
    ]
    runs = workspace.sql("SELECT DISTINCT run_id FROM scores WHERE normaliser = 'basic'")
    assert runs.arrow()["run_id"].to_pylist() == [again.run_id]


def test_a_missing_hypothesis_is_refused_unless_something_else_was_asked(
    workspace: Workspace, scored: Scored
) -> None:
    put(workspace, {row["id"]: row["hypothesis"] for row in GIVEN if row["id"] not in "ab"})
    with pytest.raises(DataError, match="2 of 6 rows of eval@0 have no hypothesis") as caught:
        scored()
    assert [str(problem) for problem in caught.value.problems] == [
        "no hypothesis: a",
        "no hypothesis: b",
    ]
    empty = scored(ids="empty")
    assert (empty.rows, empty.missing, empty.rate("wer")["deletions"]) == (6, 2, 8)
    common = scored(ids="common")
    assert (common.rows, common.missing, common.rate("wer")["words"]) == (4, 2, 7)


def test_an_empty_reference_is_told_and_only_its_insertions_count(
    workspace: Workspace, ingest: Callable[..., ManifestVersion]
) -> None:
    rows = [
        {"audio_filepath": "a.wav", "id": "a", "text": "x"},
        {"audio_filepath": "b.wav", "id": "b"},
    ]
    version = ingest(rows, "eval")
    put(workspace, {"a": "x", "b": "y"})
    result = score_hypotheses(workspace, version, "r1")
    assert (result.rows, result.empty_references, result.rate("wer")["rate"]) == (2, 1, 1.0)


def test_a_choice_of_words_in_a_reference_is_told(
    workspace: Workspace, ingest: Callable[..., ManifestVersion]
) -> None:
    texts = ["yes { um / uh } no", "a {b} c", "1/2 a { b }"]
    rows = [
        {"audio_filepath": f"{n}.wav", "id": str(n), "text": text} for n, text in enumerate(texts)
    ]
    version = ingest(rows, "eval")
    put(workspace, {str(n): text for n, text in enumerate(texts)})
    assert score_hypotheses(workspace, version, "r1").choices == 1


def test_no_hypotheses_at_all(workspace: Workspace, manifest: ManifestVersion) -> None:
    with pytest.raises(UsageError, match="no hypotheses are in the workspace"):
        score_hypotheses(workspace, manifest, "r1")


def test_nothing_to_score_is_an_error(
    workspace: Workspace, ingest: Callable[..., ManifestVersion]
) -> None:
    version = ingest([{"audio_filepath": "a.wav", "id": "a", "text": "x"}], "eval")
    put(workspace, {"z": "x"})
    with pytest.raises(DataError, match="no utterance"):
        score_hypotheses(workspace, version, "r1", ScorePlan(ids="common"))


def test_intervals_rest_on_speakers_where_there_are_some(scored: Scored) -> None:
    everything = scored().rate("wer")
    assert (everything["blocks"], everything["blocked_by"]) == (4, "speaker")  # s1, s2, e, f
    alone = scored(blocks=None).rate("wer")
    assert (alone["blocks"], alone["blocked_by"]) == (6, "utterance")
    clinic = scored(by=["domain"]).rate("wer", "domain", "clinic")
    assert (clinic["blocks"], clinic["blocked_by"]) == (2, "utterance")  # one speaker only


def test_tagged_spans_are_scored_by_class(
    workspace: Workspace, ingest: Callable[..., ManifestVersion]
) -> None:
    spans = [{"label": "drug", "text": "cefazolin"}, {"label": "dose", "text": "two grams"}]
    rows = [
        {"audio_filepath": "a.wav", "id": "a", "text": "cefazolin two grams", "entities": spans},
        {"audio_filepath": "b.wav", "id": "b", "text": "two grams", "entities": spans},
    ]
    version = ingest(rows, "eval")
    put(workspace, {"a": "cefazolin to grams", "b": "two grams"})
    result = score_hypotheses(workspace, version, "r1")
    assert rates(result, "wer", "entity_class") == {"drug": 0.0, "dose": 0.25}
    assert result.fault_counts == {"absent_from_reference": 1}


def test_spans_that_are_no_spans_are_faults(
    workspace: Workspace, ingest: Callable[..., ManifestVersion]
) -> None:
    good = {"label": "drug", "text": "b"}
    texts = ["{oops", json.dumps([good]), json.dumps(good)]
    rows = [
        {"audio_filepath": f"{n}.wav", "id": str(n), "text": "a b", "entities": text}
        for n, text in enumerate(texts)
    ]
    version = ingest(rows, "eval")
    put(workspace, {"0": "a b", "1": "a b", "2": "a b"})
    result = score_hypotheses(workspace, version, "r1")
    assert [row["kind"] for row in result.faults.to_pylist()] == ["(unreadable)"] * 2
    assert rates(result, "wer", "entity_class") == {"drug": 0.0}


def test_a_list_of_terms_is_missed_by_its_share(
    workspace: Workspace, ingest: Callable[..., ManifestVersion]
) -> None:
    rows = [
        {
            "audio_filepath": "a.wav",
            "id": "a",
            "text": "aspirin and insulin",
            "term": ["aspirin", "insulin"],
        },
        {"audio_filepath": "b.wav", "id": "b", "text": "insulin", "term": ["insulin"]},
    ]
    version = ingest(rows, "eval")
    put(workspace, {"a": "aspirin", "b": "insulin"})
    result = score_hypotheses(workspace, version, "r1")
    assert result.rate("ker")["rate"] == 0.25
    assert rates(result, "ker", "term") == {"aspirin": 0.0, "insulin": 0.5}


def test_a_sample_is_scored_with_its_weights(
    workspace: Workspace, ingest: Callable[..., ManifestVersion]
) -> None:
    """Strata of 60 and 20 rows, 10 drawn of each: each row stands for 6 and for 2."""
    from asrdq.sampling.plan import SamplingPlan
    from asrdq.sampling.samples import draw_sample

    rows = [
        {
            "audio_filepath": f"{n}.wav",
            "id": f"u{n}",
            "text": "a b",
            "domain": "x" if n < 60 else "y",
        }
        for n in range(80)
    ]
    version = ingest(rows, "eval")
    put(workspace, {f"u{n}": "a b" if n < 60 else "a c" for n in range(80)})
    with pytest.raises(UsageError, match="no sample of eval@0 holds"):
        score_hypotheses(workspace, version, "r1", ScorePlan(sample=True))
    draw_sample(workspace, version, SamplingPlan(["domain"], allocation="equal", rows=20))
    result = score_hypotheses(workspace, version, "r1", ScorePlan(sample=True))
    everything = result.rate("wer")
    assert result.rows == 20
    assert everything["utterances"] == 80
    assert everything["rate"] == pytest.approx(20 / 160)
    assert everything["blocked_by"] == "utterance"


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"by": ["domian"]}, "unknown column 'domian'"),
        ({"normaliser": "clinicall"}, "clinicall"),
        ({"ids": "loose"}, "loose"),
        ({"replicates": 5}, "100 replicates"),
    ],
)
def test_what_is_not_there_is_named(scored: Scored, plan: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        scored(**plan)


def test_the_result_is_json_without_nan(scored: Scored) -> None:
    document = json.loads(scored(by=["domain"]).to_json())
    assert document["schema_version"] == 1
    assert document["hyps"] == "r1"
    # all, 3 domains, 4 entity categories of the leaderboard; 3 terms
    assert len(document["groups"]) == (1 + 3 + 4) * 10 + 3


def test_groups_by_the_column_of_terms_are_those_by_term(scored: Scored) -> None:
    result = scored(by=["term", "term+domain"])
    rows = [row for row in result.groups.to_pylist() if row["grouped_by"] == "term"]
    assert {row["metric"] for row in rows} == {"ker"}
    assert len(rows) == len({row["member"] for row in rows})
    assert result.rate("wer", "term+domain", "aspirin + clinic")["substitutions"] == 1


def test_groups_of_two_meanings_are_refused(scored: Scored) -> None:
    with pytest.raises(UsageError, match="--by term: the groups of keywords") as caught:
        scored(by=["term"], term="domain")
    assert "rename the column" in str(caught.value)


@pytest.mark.parametrize("option", ["blocks", "term", "entities"])
def test_a_column_that_was_named_has_to_be_there(scored: Scored, option: str) -> None:
    with pytest.raises(UsageError, match="unknown column 'domian'") as caught:
        scored(**{option: "domian"})
    assert f"--{option} of eval@0" in str(caught.value)
    assert "did you mean 'domain'" in str(caught.value)
