from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from asrdq import s3
from asrdq.errors import UsageError
from asrdq.places import address
from asrdq.s3_errors import S3Error, endpoint
from asrdq.workspace.files import whole_file

pytestmark = pytest.mark.slow

MEGABYTES_20 = bytes(range(256)) * 4 * 1024 * 20


def test_what_is_written_is_what_another_client_reads(bucket: str, s3_server: Any) -> None:
    with whole_file(address(f"s3://{bucket}/a/big.bin")) as file:
        file.write(MEGABYTES_20)
    assert s3_server.read(bucket, "a/big.bin") == MEGABYTES_20


def test_a_write_that_fails_leaves_what_was_there(bucket: str, s3_server: Any) -> None:
    target = address(f"s3://{bucket}/report.html")
    with whole_file(target) as file:
        file.write(b"first")
    with pytest.raises(ZeroDivisionError), whole_file(target) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert s3_server.read(bucket, "report.html") == b"first"


def test_facts_are_those_of_the_server(bucket: str, s3_server: Any) -> None:
    etag = s3_server.client.put_object(Bucket=bucket, Key="x/y", Body=b"12345")["ETag"]
    facts = s3.object_facts(address(f"s3://{bucket}/x/y"))
    assert (facts.size_bytes, facts.etag) == (5, etag.strip('"'))


def test_folders_are_what_lies_under_them(bucket: str, s3_server: Any) -> None:
    for key in ("f/a.txt", "f/g/b.txt"):
        s3_server.client.put_object(Bucket=bucket, Key=key, Body=b"x")
    folder = address(f"s3://{bucket}/f")
    assert [path.name for path in folder.iterdir()] == ["a.txt", "g"]
    assert folder.is_dir() and (folder / "a.txt").is_file() and not (folder / "c").exists()
    assert list((folder / "nothing").iterdir()) == []
    (folder / "a.txt").unlink()
    (folder / "a.txt").unlink()
    assert s3_server.keys(bucket, "f/g") == ["f/g/b.txt"]
    with pytest.raises(FileNotFoundError):
        (folder / "a.txt").read_bytes()


def test_a_busy_server_is_asked_again(bucket: str, s3_server: Any) -> None:
    s3_server.client.put_object(Bucket=bucket, Key="flaky/x", Body=MEGABYTES_20)
    assert address(f"s3://{bucket}/flaky/x").read_bytes() == MEGABYTES_20


def test_a_refusal_is_told_as_one(bucket: str) -> None:
    with pytest.raises(S3Error, match="S3 refuses access") as refusal:
        address(f"s3://{bucket}/denied/x").read_bytes()
    assert refusal.value.denied


def test_a_missing_bucket_is_told_as_one(bucket: str) -> None:
    with pytest.raises(S3Error, match="there is no bucket 'no-such-bucket'"):
        s3.check_bucket(address("s3://no-such-bucket/x"))
    with (
        pytest.raises(S3Error, match="there is no bucket 'no-such-bucket'"),
        whole_file(address("s3://no-such-bucket/x")) as file,
    ):
        file.write(b"x")


def test_a_server_that_is_not_there_is_told_with_its_address(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    with pytest.raises(S3Error, match=f"cannot be reached at {server}") as failure:
        s3.check_bucket(address(f"s3://{bucket}/x"))
    assert not failure.value.denied


@pytest.mark.parametrize("url", ["https://KEY:SECRET@host", "host:9000", "ftp://host"])
def test_an_endpoint_must_be_a_plain_url(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(UsageError, match="AWS_ENDPOINT_URL") as refusal:
        endpoint()
    assert "SECRET" not in str(refusal.value)


def test_delta_is_told_no_credentials(bucket: str, s3_server: Any) -> None:
    options = s3.delta_options(bucket)
    assert options == {
        "aws_force_credential_load": "true",
        "conditional_put": "etag",
        "endpoint_url": s3_server.url,
        "allow_http": "true",
        "region": "us-east-1",
    }


def test_a_download_is_the_object(bucket: str, s3_server: Any, tmp_path: Path) -> None:
    s3_server.client.put_object(Bucket=bucket, Key="big", Body=MEGABYTES_20)
    s3.download(address(f"s3://{bucket}/big"), tmp_path / "big")
    assert (tmp_path / "big").read_bytes() == MEGABYTES_20
