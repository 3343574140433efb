"""Audio files: decoding any format, voice activity, and facts measured about every clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.audio.clip_probe import Clip, probe_clip
    from asrdq.audio.clips import clip_rows
    from asrdq.audio.decoding import MODEL_RATE, Audio, decode
    from asrdq.audio.hashing import (
        FileIdentity,
        file_hashes,
        file_hashes_on,
        file_identities,
        file_identity,
        unread_reason,
    )
    from asrdq.audio.manifest_probe import probe_manifest
    from asrdq.audio.probe_result import ProbeResult
    from asrdq.audio.reachable import check_reachable, nothing_readable
    from asrdq.audio.reasons import AudioError, AudioReason, NotFetchedError
    from asrdq.audio.segment import clip_segment
    from asrdq.audio.voice import FRAME_S, voice_activity

__all__ = [
    "FRAME_S",
    "MODEL_RATE",
    "Audio",
    "AudioError",
    "AudioReason",
    "Clip",
    "FileIdentity",
    "NotFetchedError",
    "ProbeResult",
    "check_reachable",
    "clip_rows",
    "clip_segment",
    "decode",
    "file_hashes",
    "file_hashes_on",
    "file_identities",
    "file_identity",
    "nothing_readable",
    "probe_clip",
    "probe_manifest",
    "unread_reason",
    "voice_activity",
]

__getattr__ = lazy_names(
    __name__,
    {
        "clip_probe": ["Clip", "probe_clip"],
        "clips": ["clip_rows"],
        "decoding": ["MODEL_RATE", "Audio", "decode"],
        "hashing": [
            "FileIdentity",
            "file_hashes",
            "file_hashes_on",
            "file_identities",
            "file_identity",
            "unread_reason",
        ],
        "manifest_probe": ["probe_manifest"],
        "probe_result": ["ProbeResult"],
        "reachable": ["nothing_readable", "check_reachable"],
        "reasons": ["AudioError", "AudioReason", "NotFetchedError"],
        "segment": ["clip_segment"],
        "voice": ["FRAME_S", "voice_activity"],
    },
)
