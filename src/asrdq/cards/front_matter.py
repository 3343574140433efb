"""The YAML block of a card: what the hub indexes, with the rates of held-out rows alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asrdq.cards.measured import METRICS, Standing
from asrdq.models.requirements import needs
from asrdq.rounds.exposure import HELD_OUT
from asrdq.text.languages import language_code

if TYPE_CHECKING:
    from asrdq.cards.evidence import Evidence
    from asrdq.cards.measured import Measured

_TASK: Final = "automatic-speech-recognition"
_LIBRARIES: Final = {"qwen": "transformers", "nemo": "nemo"}
_ON_HUB: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def front_matter(evidence: Evidence, name: str, license: str | None) -> str:
    """Return the YAML block, without its fences.

    Values are per cent, rounded to two digits; the shares, their 95 % intervals and the run of the
    table they are from stand in `args`.

    Args:
        evidence: What the tables say.
        name: Name of the model.
        license: Its licence; None: none is named.

    Raises:
        ToolError: huggingface_hub is not installed.
    """
    needs("huggingface_hub", "a model card", "hub")
    from huggingface_hub import EvalResult, ModelCardData

    base = base_on_hub(evidence)
    data = ModelCardData(
        model_name=name,
        language=[language_code(each) for each in evidence.languages] or None,
        license=license,
        base_model=base,
        base_model_relation="finetune" if base else None,
        library_name=_LIBRARIES.get(evidence.run.backend),
        pipeline_tag=_TASK,
        tags=["asrdq"],
        metrics=list(METRICS),
        eval_results=[EvalResult(**each) for each in _results(evidence)] or None,
    )
    text: str = data.to_yaml()
    return text


def base_on_hub(evidence: Evidence) -> str | None:
    """Return the base model where it is one of the hub, None where it is a folder or a file."""
    base = evidence.run.base
    return base if _ON_HUB.fullmatch(base) and not Path(base).exists() else None


def _results(evidence: Evidence) -> Iterator[dict[str, Any]]:
    for one in evidence.of(Standing.HELD_OUT):
        for row in one.rates:
            scope = f"{row['grouped_by']}={row['member']}" if row["grouped_by"] else None
            limits = {"low": row["low"], "high": row["high"], "confidence": 0.95}
            args = {"rate": row["rate"], **limits, "table": f"score_groups/{row['run_id']}"}
            yield _result(one, row["metric"], row["rate"], scope, args)
    for one in evidence.of(Standing.PARTLY):
        assert one.compared is not None  # nothing else tells which rows were held out
        for metric in METRICS:
            found = one.compared.exposure(metric, HELD_OUT)
            if found is not None:
                args = {"rate": found["after"], "rows": found["rows"]}
                args["table"] = f"comparison_groups/{one.compared.row['run_id']}"
                yield _result(one, metric, found["after"], HELD_OUT, args)


def _result(
    one: Measured, metric: str, rate: float, scope: str | None, args: dict[str, Any]
) -> dict[str, Any]:
    return {
        "task_type": _TASK,
        "task_name": "Speech recognition",
        "dataset_type": one.manifest.name,
        "dataset_name": f"{one.manifest} ({one.scoring.hyps})",
        "dataset_config": scope,
        "dataset_revision": one.manifest.fingerprint,
        "metric_type": metric,
        "metric_name": f"{metric.upper()} in per cent, normaliser {one.scoring.normaliser}",
        "metric_value": round(100 * rate, 2),
        "metric_args": {key: value for key, value in args.items() if value is not None},
    }
