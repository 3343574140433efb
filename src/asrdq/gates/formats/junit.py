"""A verdict as JUnit XML: one test case a rule of the gate."""

from __future__ import annotations

from asrdq.annotations.xml import xml_text
from asrdq.gates.formats.outcomes import State, outcomes
from asrdq.gates.verdict import GateResult


def junit_xml(result: GateResult, *, fail_on_caution: bool = False) -> str:
    """Return a verdict as a JUnit file.

    A rule that failed is a failure, one that cannot be decided an error, and one that was waived
    or not reached is skipped; there is a failure or error exactly where the gate does not exit
    with 0.

    Args:
        result: The verdict.
        fail_on_caution: Whether CAUTION counts as failed.
    """
    from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

    kinds = {
        State.FAILED: Failure,
        State.UNDECIDED: Error,
        State.WAIVED: Skipped,
        State.NOT_REACHED: Skipped,
    }
    manifest = result.evidence.manifest
    suite = TestSuite(f"asrdq gate {manifest}")
    facts = {"verdict": result.verdict.value, "fingerprint": manifest.fingerprint}
    for name, value in {"schema_version": "1", **facts}.items():
        suite.add_property(name, value)
    for outcome in outcomes(result, fail_on_caution=fail_on_caution):
        case = TestCase(xml_text(outcome.rule), classname=f"asrdq.gate.{manifest.name}", time=0.0)
        text = xml_text("\n".join(outcome.messages()))
        if outcome.state in kinds:
            kind = kinds[outcome.state]
            about = f"{outcome.state}: {text}" if text else str(outcome.state)
            case.result = [kind(message=about, type_=xml_text(outcome.rule))]
        told = [outcome.demand, outcome.figures(), *outcome.messages()]
        told += [source.query for source in outcome.evidence]
        case.system_out = xml_text("\n".join(filter(None, told)))
        suite.add_testcase(case)
    xml = JUnitXml("asrdq")
    xml.add_testsuite(suite)
    written: bytes = xml.tostring()  # type: ignore[no-untyped-call]
    return written.decode()
