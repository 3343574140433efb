"""What names an object of an S3 server: the bucket and the key."""

from __future__ import annotations

from dataclasses import dataclass

SCHEME = "s3://"


@dataclass(frozen=True, slots=True)
class S3Address:
    """The name of an object or folder of an S3 server.

    Attributes:
        bucket: The bucket.
        key: What follows it, without slashes at either end; empty for the bucket itself.
    """

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.inner}"

    @property
    def inner(self) -> str:
        """Bucket and key, as S3 libraries write a path."""
        return f"{self.bucket}/{self.key}" if self.key else self.bucket
