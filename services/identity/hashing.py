"""argon2id in memory that is kept.

The library takes its 19 MiB anew for each hash and gives them back: a sixth of the work is then the system's, which
clears the pages again each time. Whoever hashes one password after the other keeps them instead. argon2 itself wipes
them after each hash.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import mmap
from typing import Any

from argon2 import Parameters, extract_parameters
from argon2.exceptions import InvalidHashError
from argon2.low_level import core, ffi, lib  # type: ignore[attr-defined]  # its names for argon2's own codes

KIB = 1024


class Workspace:
    """Memory for hashes of one set of parameters; for one thread at a time."""

    def __init__(self, parameters: Parameters) -> None:
        if parameters.parallelism != 1:
            raise ValueError("argon2 would start threads that share the workspace")
        self._parameters = parameters
        self._memory = mmap.mmap(-1, parameters.memory_cost * KIB)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            # Only where the kernel offers them. Larger pages are found faster; five thousand small ones are many.
            self._memory.madvise(mmap.MADV_HUGEPAGE)
        self._place = ffi.from_buffer("uint8_t[]", self._memory)
        # The workspace itself keeps them alive: C knows only their addresses.
        self._lend = ffi.callback("int(uint8_t **, size_t)", self._lend_place)
        self._take_back = ffi.callback("void(uint8_t *, size_t)", lambda _place, _size: None)

    def _lend_place(self, place: Any, size: int) -> int:
        if size > len(self._memory):
            return int(lib.ARGON2_MEMORY_ALLOCATION_ERROR)
        place[0] = self._place
        return int(lib.ARGON2_OK)

    def digest(self, secret: bytes, salt: bytes) -> bytes:
        """What a password becomes with this salt. Raises MemoryError when argon2 refuses."""
        parameters = self._parameters
        digest = ffi.new("uint8_t[]", parameters.hash_len)
        # Names of their own: the context holds addresses, and what nobody names is freed.
        c_secret, c_salt = ffi.new("uint8_t[]", secret), ffi.new("uint8_t[]", salt)
        context = ffi.new(
            "argon2_context *",
            {
                "out": digest,
                "outlen": parameters.hash_len,
                "pwd": c_secret,
                "pwdlen": len(secret),
                "salt": c_salt,
                "saltlen": len(salt),
                "t_cost": parameters.time_cost,
                "m_cost": parameters.memory_cost,
                "lanes": 1,
                "threads": 1,
                "version": parameters.version,
                "allocate_cbk": self._lend,
                "free_cbk": self._take_back,
                "flags": lib.ARGON2_DEFAULT_FLAGS,
            },
        )
        problem = core(context, parameters.type.value)
        if problem != lib.ARGON2_OK:
            raise MemoryError(f"argon2 {problem}")
        return bytes(ffi.buffer(digest))


class Workspaces:
    """Checks hashes of one set of parameters; as many workspaces come about as threads check at once."""

    def __init__(self, example: str) -> None:
        self._parameters = extract_parameters(example)
        # Taken and put back by native threads: only what the interpreter itself keeps whole serves here.
        self._idle: list[Workspace] = []

    def serves(self, stored: str) -> bool:
        """Whether a stored hash has these parameters. Raises InvalidHashError for what is no hash."""
        return extract_parameters(stored) == self._parameters

    def matches(self, stored: str, password: str) -> bool:
        """Whether this is the password of a stored hash that it `serves`. Raises InvalidHashError."""
        salt, digest = map(_decoded, stored.split("$")[-2:])
        try:
            workspace = self._idle.pop()
        except IndexError:
            workspace = Workspace(self._parameters)
        try:
            return hmac.compare_digest(workspace.digest(password.encode(), salt), digest)
        finally:
            self._idle.append(workspace)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise InvalidHashError from None
