"""Which transcribers there are."""

from __future__ import annotations

from importlib.metadata import entry_points

from asrdq.errors import AsrdqError, ToolError, UsageError, unknown
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
    found = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if options.name not in found:
        raise unknown("transcriber", options.name, found)
    try:
        built = found[options.name].load()(options)
    except Exception as error:
        if isinstance(error, AsrdqError):
            raise
        reason = f"{type(error).__name__}: {error}"
        raise ToolError(f"the transcriber '{options.name}' cannot be built: {reason}") from error
    if options.beams != 1 and getattr(built, "beams", 1) != options.beams:
        raise UsageError(
            f"the transcriber '{options.name}' has no search of {options.beams} beams",
            hint="leave --beams out",
        )
    if not isinstance(built, Transcriber):
        raise ToolError(f"'{found[options.name].value}' is not a transcriber")
    return built
