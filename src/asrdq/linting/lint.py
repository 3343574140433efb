"""`asrdq lint`: the rules, asked about a configuration and what is around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asrdq.console import Stage, silent
from asrdq.errors import UsageError
from asrdq.linting.case import Case
from asrdq.linting.catalogue import every_rule
from asrdq.linting.config import Config, Family, Knob
from asrdq.linting.data import WHISPER_TOKENS, DataFacts, data_facts
from asrdq.linting.findings import WORST_FIRST, Finding
from asrdq.linting.reachable import Job, look_up
from asrdq.linting.registry import (
    GPUS,
    MANIFEST,
    VALIDATION,
    WHERE,
    Found,
    Rule,
)
from asrdq.linting.result import LintResult
from asrdq.linting.rules.values import without_unusable_values
from asrdq.linting.suppressions import read_suppressions, suppress
from asrdq.linting.tokenizers import (
    Tokenizer,
    TokenizerFacts,
    label_tokenizer,
    read_tokenizer,
    tokenizer_facts,
)
from asrdq.places import Place, place
from asrdq.planning.hardware import Gpus, read_hardware

if TYPE_CHECKING:
    from asrdq.leakage import LeakResult
    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True, slots=True)
class Around:
    """What a configuration is held against.

    Attributes:
        workspace: Where the manifests are.
        manifest: The manifest that it trains on.
        validation: The manifest that it validates on.
        gpus: The machine.
        effective_batch: The effective batch that is meant.
        job: Where the job runs; None: nobody said.
        tokenizer: The file or folder of a tokenizer.
        leaks: What both manifests share, where that was compared already; None: it is compared.
    """

    workspace: Workspace | None = None
    manifest: ManifestVersion | None = None
    validation: ManifestVersion | None = None
    gpus: Gpus | None = None
    effective_batch: int | None = None
    job: Job | None = None
    tokenizer: Place | None = None
    leaks: LeakResult | None = None

    def given(self) -> frozenset[str]:
        """Return the options that brought something in."""
        options = {
            MANIFEST: self.manifest,
            VALIDATION: self.validation,
            GPUS: self.gpus,
            WHERE: self.job,
        }
        return frozenset(name for name, value in options.items() if value is not None)


def lint_config(
    config: Config, around: Around | None = None, *, stage: Stage = silent
) -> LintResult:
    """Ask every rule about a configuration.

    Args:
        config: The configuration.
        around: Its data, its machine, and where it runs.
        stage: Shows progress.

    Raises:
        ToolError: The library of a tokenizer is not installed.
        UsageError: A tokenizer cannot be read, or both manifests are the same.
    """
    around = around or Around()
    config = without_unusable_values(config)
    notes = list(config.notes)
    case, undecided = _case(config, around, notes, stage)
    rules = every_rule()
    found = [
        _finding(rules[each.rule], config, Found(each.message, each.setting))
        for each in config.faults
    ]
    for rule in rules.values():
        if rule.look is not None:
            found += (_finding(rule, config, each) for each in rule.look(case))
    given = around.given()
    judged = {rule.id for rule in rules.values() if {*rule.needs, *rule.helps} <= given}
    found = suppress(found, read_suppressions(config.texts), judged)
    found.sort(key=_order)
    return LintResult(
        config=config.name,
        dialect=config.dialect.value,
        manifest=None if around.manifest is None else str(around.manifest),
        validation=None if around.validation is None else str(around.validation),
        found=tuple(found),
        undecided=tuple(undecided),
        notes=tuple(notes),
    )


def _order(finding: Finding) -> tuple[bool, int, int]:
    return finding.suppressed is not None, WORST_FIRST[finding.level], finding.line or 0


def _finding(rule: Rule, config: Config, found: Found) -> Finding:
    at = found.at
    own = at is not None and at.file == config.name
    return Finding(
        rule=rule.id,
        level=found.level or rule.level,
        message=found.message,
        mend=found.mend or rule.mend,
        key=None if at is None else at.key,
        file=config.name if at is None else at.file,
        line=_first_line(config) if at is None else at.line,
        edit=found.edit if own else None,
    )


def _first_line(config: Config) -> int:
    """Return the first line that says something: what is about no single value stands there."""
    lines = config.texts.get(config.name, "").splitlines()
    said = (n for n, text in enumerate(lines, 1) if text.strip() and not text.startswith("#"))
    return next(said, 1)


def _case(config: Config, around: Around, notes: list[str], stage: Stage) -> tuple[Case, list[str]]:
    data = validation = leaks = known = None
    undecided: list[str] = []
    workspace, manifest = around.workspace, around.manifest
    if workspace is not None and manifest is not None:
        data = _facts(workspace, manifest, config, stage)
        known = _tokenizer(config, around, data, notes, stage)
    if workspace is not None and around.validation is not None:
        validation = data_facts(workspace, around.validation, None, None)
        if manifest is not None:
            leaks = around.leaks or _leaks(workspace, manifest, around.validation, stage)
            undecided += (f"{kind} on both sides of the split" for kind in leaks.undecided)
    total = None if manifest is None or around.job is None else manifest.rows
    with stage("paths", total, "files") as bar:
        paths = look_up(config.paths, around.job, workspace, manifest, bar.advance)
    case = Case(
        config,
        data,
        validation,
        leaks,
        around.gpus,
        read_hardware(workspace) if around.gpus is not None else None,
        around.effective_batch,
        paths,
        known,
    )
    return case, undecided


def _facts(
    workspace: Workspace, manifest: ManifestVersion, config: Config, stage: Stage
) -> DataFacts:
    low, high = config.number(Knob.MIN_DURATION), config.number(Knob.MAX_DURATION)
    with stage("manifest", manifest.rows, "rows") as bar:
        facts = data_facts(workspace, manifest, low, high)
        bar.advance(manifest.rows)
    return facts


def _leaks(
    workspace: Workspace, train: ManifestVersion, validation: ManifestVersion, stage: Stage
) -> LeakResult:
    from asrdq.leakage import LeakPlan, find_leaks

    return find_leaks(
        workspace, train, validation, LeakPlan(without=("near_text", "term")), stage=stage
    )


def _tokenizer(
    config: Config, around: Around, data: DataFacts, notes: list[str], stage: Stage
) -> TokenizerFacts | None:
    assert around.workspace is not None and around.manifest is not None
    found = _find_tokenizer(config, around)
    if found is None:
        notes.append("the tokenizer was not looked at: name its file with --tokenizer")
        return None
    counts = Family.WHISPER in config.families and data.long_labels > 0
    with stage("transcripts", data.rows, "rows") as bar:
        return tokenizer_facts(
            around.workspace,
            around.manifest,
            found,
            long_from=WHISPER_TOKENS if counts else None,
            advance=bar.advance,
        )


def _find_tokenizer(config: Config, around: Around) -> Tokenizer | None:
    if around.tokenizer is not None:
        return read_tokenizer(around.tokenizer)
    labels = config.get(Knob.LABELS)
    if labels is not None:
        return label_tokenizer([str(label) for label in labels.value])
    at = config.word(Knob.TOKENIZER)
    if at is not None and place(at).exists():
        try:
            return read_tokenizer(place(at))
        except UsageError:
            return None
    return None
