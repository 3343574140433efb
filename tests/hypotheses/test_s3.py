"""A file of hypotheses and the workspace itself on S3."""

from __future__ import annotations

from typing import Any

import pytest

from asrdq.errors import DataError
from asrdq.hypotheses import resolve
from asrdq.manifests import ingest_manifest
from asrdq.places import place
from asrdq.workspace import Workspace

MANIFEST = b"""{"utt_id": "a", "audio_filepath": "a.wav", "text": "x"}
{"utt_id": "b", "audio_filepath": "b.wav", "text": "y"}
"""


@pytest.mark.slow
def test_from_an_address(s3_workspace: Workspace, bucket: str, s3_server: Any) -> None:
    for name, content in (("eval.jsonl", MANIFEST), ("r1.trn", b"heard (a)\nsaid (b)\n")):
        s3_server.client.put_object(Bucket=bucket, Key=name, Body=content)
    ingest_manifest(s3_workspace, [place(f"s3://{bucket}/eval.jsonl")], "eval")
    manifest = s3_workspace.manifest("eval")
    assert resolve(s3_workspace, manifest, f"s3://{bucket}/r1.trn") == "r1"
    rows = s3_workspace.read("hypotheses").to_pylist()
    assert {row["utt_id"]: row["hypothesis"] for row in rows} == {"a": "heard", "b": "said"}
    s3_server.client.put_object(Bucket=bucket, Key="r1.trn", Body=b"heard (a)\n{b} (b)\n")
    with pytest.raises(DataError) as caught:
        resolve(s3_workspace, manifest, f"r1=s3://{bucket}/r1.trn")
    assert f"s3://{bucket}/r1.trn:2: bad_line" in str(caught.value)
    assert resolve(s3_workspace, manifest, "r1") == "r1"
