"""Which transcribers there are."""

from __future__ import annotations

from asrdq.errors import ToolError, UsageError
from asrdq.plug_ins import build_plug_in, find_plug_in
from asrdq.transcription.protocol import Transcriber, TranscriberOptions

ENTRY_POINTS = "asrdq.transcribers"


def parse_transcriber(text: str) -> tuple[str, str | None]:
    """Return the name of a transcriber and its address, if it has one.

    >>> parse_transcriber("openai:http://127.0.0.1:8000/v1")
    ('openai', 'http://127.0.0.1:8000/v1')
    >>> parse_transcriber("pocketsphinx")
    ('pocketsphinx', None)
    """
    name, colon, address = text.partition(":")
    return name, address if colon else None


def build_transcriber(options: TranscriberOptions) -> Transcriber:
    """Build the transcriber that an entry point of the group `asrdq.transcribers` names.

    Raises:
        UsageError: There is no such transcriber, or it has no use for an option.
        ToolError: It cannot be built, or is none. Nothing is put in its place.
    """
    point = find_plug_in(ENTRY_POINTS, "transcriber", options.name)
    built = build_plug_in(point, "transcriber", options)
    if options.beams != 1 and getattr(built, "beams", 1) != options.beams:
        raise UsageError(
            f"the transcriber '{options.name}' has no search of {options.beams} beams",
            hint="leave --beams out",
        )
    if not isinstance(built, Transcriber):
        raise ToolError(f"'{point.value}' is not a transcriber")
    return built
