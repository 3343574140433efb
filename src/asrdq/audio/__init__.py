"""Audio files: decoding any format, voice activity, and facts measured about every clip."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asrdq.audio.clip_probe import Clip, probe_clip
    from asrdq.audio.decoding import MODEL_RATE, Audio, content_hash, decode
    from asrdq.audio.hashing import FileIdentity, file_hashes, file_identity
    from asrdq.audio.manifest_probe import probe_manifest
    from asrdq.audio.probe_result import ProbeResult
    from asrdq.audio.reasons import AudioError, AudioReason
    from asrdq.audio.voice import FRAME_S, voice_activity

_HOMES = {
    "Clip": "clip_probe",
    "probe_clip": "clip_probe",
    "probe_manifest": "manifest_probe",
    "ProbeResult": "probe_result",
    "MODEL_RATE": "decoding",
    "Audio": "decoding",
    "content_hash": "decoding",
    "decode": "decoding",
    "FileIdentity": "hashing",
    "file_hashes": "hashing",
    "file_identity": "hashing",
    "AudioError": "reasons",
    "AudioReason": "reasons",
    "FRAME_S": "voice",
    "voice_activity": "voice",
}

__all__ = [
    "FRAME_S",
    "MODEL_RATE",
    "Audio",
    "AudioError",
    "AudioReason",
    "Clip",
    "FileIdentity",
    "ProbeResult",
    "content_hash",
    "decode",
    "file_hashes",
    "file_identity",
    "probe_clip",
    "probe_manifest",
    "voice_activity",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
