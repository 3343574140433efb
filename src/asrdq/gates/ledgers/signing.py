"""Ed25519 keys and signatures; a private key is neither shown nor kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asrdq.errors import ToolError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

KEY_VARIABLE = "ASRDQ_SIGNING_KEY"
"""Environment variable that holds a private key, the text of its PEM file."""

_HOW = "an unencrypted Ed25519 key in PEM: asrdq signoff --new-key FILE"


@dataclass(frozen=True)
class Signer:
    """Signs with a private key.

    Attributes:
        public_key: The 32 bytes of the public key, as hex.
        sign: Returns the signature of bytes, as hex.
    """

    public_key: str
    sign: Callable[[bytes], str]


def find_signer(key_file: Path | None) -> Signer | None:
    """Return what signs with the key of a file, else of the environment; None without a key.

    Raises:
        UsageError: What is there is no private Ed25519 key.
        ToolError: The file cannot be read, or `cryptography` is not installed.
    """
    if key_file is not None:
        return _signer(_private_key(_read(key_file), str(key_file)))
    text = os.environ.get(KEY_VARIABLE)
    return None if text is None else _signer(_private_key(text.encode(), f"${KEY_VARIABLE}"))


def write_new_key(file: Path) -> Path:
    """Write a new private key, readable by its owner only, and return the file of its public key.

    Raises:
        UsageError: One of the files is there already.
        ToolError: They cannot be written, or `cryptography` is not installed.
    """
    _check_installed()
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = key.public_key().public_bytes(
        form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
    )
    beside = file.with_name(f"{file.name}.pub")
    for path in (file, beside):
        if path.exists():
            raise UsageError(
                "is there already, and keys are not written over",
                where=str(path),
                hint="name another file",
            )
    _write(file, secret, 0o600)
    _write(beside, public, 0o644)
    return beside


def read_public_key(file: Path) -> str:
    """Return the public key of a PEM file as hex.

    Raises:
        UsageError: It is no public Ed25519 key.
        ToolError: The file cannot be read, or `cryptography` is not installed.
    """
    _check_installed()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_read(file))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError("is no public key in PEM", where=str(file)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError("is no Ed25519 key", where=str(file))
    return _hex_of(key)


def is_signed(content: bytes, signature: str, public_key: str) -> bool:
    """Return whether a signature is that of a key over exactly these bytes.

    Raises:
        ToolError: `cryptography` is not installed.
    """
    _check_installed()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return signature == signature.lower()


def _signer(key: Ed25519PrivateKey) -> Signer:
    return Signer(_hex_of(key.public_key()), lambda content: key.sign(content).hex())


def _hex_of(key: Ed25519PublicKey) -> str:
    return key.public_bytes_raw().hex()


def _private_key(pem: bytes, where: str) -> Ed25519PrivateKey:
    _check_installed()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        # neither the message nor the chain of the error may carry parts of the key
        raise UsageError("holds no private key that can be read", where=where, hint=_HOW) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError("holds a key of another kind", where=where, hint=_HOW)
    return key


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ToolError(f"cannot be read: {error.strerror}", where=str(file)) from error


def _write(file: Path, content: bytes, mode: int) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            stream.write(content)
    except OSError as error:
        raise ToolError(f"cannot be written: {error.strerror}", where=str(file)) from error


def _check_installed() -> None:
    try:
        import cryptography  # noqa: F401
    except ModuleNotFoundError as error:
        raise ToolError(
            "signatures need the package cryptography", hint="pip install 'asrdq[signing]'"
        ) from error
