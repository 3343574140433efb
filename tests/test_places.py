from __future__ import annotations

from pathlib import Path

import pytest

from asrdq.errors import ToolError, UsageError
from asrdq.places import S3Path, address, file_digest, place, within


def test_a_path_and_an_address_are_told_apart() -> None:
    assert place("data/train.jsonl") == Path("data/train.jsonl")
    assert place("s3://speech/data//train.jsonl/") == S3Path("speech", "data/train.jsonl")
    assert place(S3Path("speech", "x")) == S3Path("speech", "x")


def test_an_address_has_the_parts_of_a_path() -> None:
    train = address("s3://speech/data/train.jsonl.gz")
    assert (train.name, train.suffix) == ("train.jsonl.gz", ".gz")
    assert str(train.parent) == "s3://speech/data"
    assert str(train.parent.parent) == str(train.parent.parent.parent) == "s3://speech"
    assert str(train.parent / "clips/a.wav") == "s3://speech/data/clips/a.wav"
    assert within(train, train.parent) == "train.jsonl.gz"
    assert within(train, address("s3://speech/dat")) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s3://AKIAKEY:SECRET@speech/x.jsonl", "credentials"),
        ("s3://AKIAKEY:SEC/RET@speech/x.jsonl", "credentials"),
        ("s3://SECRET@speech/x.jsonl", "credentials"),
        ("https://speech.s3.amazonaws.com/x?X-Amz-Signature=SECRET", "https:// are not read"),
        ("gs://speech/x.jsonl", "gs:// are not read"),
        ("s3://", "no bucket"),
    ],
)
def test_other_addresses_are_refused_and_secrets_not_repeated(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refusal:
        place(text)
    shown = f"{refusal.value} {refusal.value.where} {refusal.value.__cause__}"
    for secret in ("AKIAKEY", "SECRET", "SEC/"):
        assert secret not in shown


def test_the_digest_of_a_file_is_that_of_sha256sum(tmp_path: Path) -> None:
    file = tmp_path / "abc"
    file.write_bytes(b"abc")
    assert file_digest(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(ToolError, match="cannot be read: No such file"):
        file_digest(tmp_path / "none")
