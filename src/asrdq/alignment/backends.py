"""Which aligners there are."""

from __future__ import annotations

from asrdq.alignment.protocol import Aligner, AlignerOptions
from asrdq.errors import ToolError
from asrdq.models.devices import check_device
from asrdq.plug_ins import build_plug_in, find_plug_in

ENTRY_POINTS = "asrdq.aligners"


def parse_aligner(text: str, *, device: str = "auto", batch_size: int = 8) -> AlignerOptions:
    """Return what settings and `--aligner` say as options.

    Raises:
        UsageError: The device is none; also where the aligner has no use for one.

    >>> parse_aligner("ctc:models/he.nemo").address
    'models/he.nemo'
    >>> parse_aligner("pocketsphinx").address is None
    True
    """
    check_device(device)
    name, colon, address = text.partition(":")
    return AlignerOptions(name, address if colon else None, device, batch_size)


def build_aligner(wanted: str | AlignerOptions) -> Aligner:
    """Build the aligner that an entry point of the group `asrdq.aligners` names.

    Args:
        wanted: Its options, or its name and address as settings have them.

    Raises:
        UsageError: There is no such aligner (the nearest name is given), or it has no use for an
            option.
        ToolError: It cannot be built, or is none. Nothing is put in its place.
    """
    options = parse_aligner(wanted) if isinstance(wanted, str) else wanted
    point = find_plug_in(ENTRY_POINTS, "aligner", options.name)
    aligner = build_plug_in(point, "aligner", options)
    if not isinstance(aligner, Aligner):
        raise ToolError(f"'{point.value}' is not an aligner")
    return aligner
