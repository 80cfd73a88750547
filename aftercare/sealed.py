"""A sealed file: encrypted for a key, readable with it alone, and whole or refused.

The format is age (age-encryption.org/v1), so that the `age` program opens a backup as well:
`age -d -i KEY FILE`. Every 64 KiB are authenticated, and the end too: a flipped bit, a cut file
or a wrong key is an error, never a shorter or other content.

A key file holds the secret half (`AGE-SECRET-KEY-1…`, which seals and opens) or, on a machine
that must not be able to open its own backups, public halves (`age1…`, which only seal).
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple

import pyrage

SECRET, PUBLIC = "AGE-SECRET-KEY-1", "age1"


class SealError(Exception):
    """What is wrong with a key or a sealed file, in a sentence for the operator."""


class Keys(NamedTuple):
    recipients: list[pyrage.x25519.Recipient]
    identities: list[pyrage.x25519.Identity]


def new_key(path: Path) -> str:
    """Make a key file that nobody else can read; returns its public half.

    Raises SealError if the file exists: a lost key makes every backup useless.
    """
    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SealError(f"{path} exists, and a key is never overwritten.") from None
    except OSError as error:
        raise SealError(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(f"# public key: {public}\n{identity}\n")
    return public


def read_keys(path: Path) -> Keys:
    """Raises SealError if the file cannot be read or holds no key."""
    try:
        lines = [line.strip() for line in path.read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise SealError(f"The key file {path} cannot be read: {error}.") from None
    try:
        identities = [
            pyrage.x25519.Identity.from_str(line) for line in lines if line.startswith(SECRET)
        ]
        recipients = [
            pyrage.x25519.Recipient.from_str(line) for line in lines if line.startswith(PUBLIC)
        ]
    except (pyrage.IdentityError, pyrage.RecipientError):
        raise SealError(f"The key file {path} holds a line that is no whole key.") from None
    recipients += [identity.to_public() for identity in identities]
    if not recipients:
        raise SealError(f"The key file {path} holds no line that begins {SECRET} or {PUBLIC}.")
    return Keys(recipients, identities)


def seal(content: Iterable[bytes], target: IO[bytes], keys: Keys) -> None:
    """Encrypt as it comes; what `content` raises comes through."""
    source = _Stream(content)
    try:
        pyrage.encrypt_io(io.BufferedReader(source, 1 << 16), target, keys.recipients)
    except Exception:
        if source.error is not None:
            raise source.error from None
        raise


def unseal(sealed: IO[bytes], target: IO[bytes], keys: Keys) -> None:
    """Decrypt into `target`; raises SealError unless all of it is as it was sealed.

    What has been written to `target` before the error is worth nothing.
    """
    if not keys.identities:
        raise SealError("This key only seals. To open, name the file with its secret half.")
    try:
        pyrage.decrypt_io(sealed, target, keys.identities)
    except pyrage.DecryptError as error:
        raise SealError(
            "It was sealed for another key."
            if "key" in str(error).lower()
            else "It is no sealed file, or its beginning is damaged."
        ) from None
    except OSError as error:
        if error.errno is not None:  # a full disk, not a bad seal
            raise
        raise SealError("It is damaged or cut short.") from None


class _Stream(io.RawIOBase):
    """An iterable of bytes as a file to read."""

    def __init__(self, content: Iterable[bytes]) -> None:
        self._parts = iter(content)
        self._left = memoryview(b"")
        self.error: Exception | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            while not self._left:
                self._left = memoryview(next(self._parts))
        except StopIteration:
            return 0
        except Exception as error:
            self.error = error
            raise
        taken = min(len(buffer), len(self._left))
        buffer[:taken] = self._left[:taken]
        self._left = self._left[taken:]
        return taken
