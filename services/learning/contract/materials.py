"""What a file for a course may be: what can be looked through before it is kept, as the proofs of declarations."""

from __future__ import annotations

from typing import Final

MATERIAL_BYTES: Final = 10 * 1024 * 1024
MATERIAL_TYPES: Final = ("application/pdf", "image/jpeg", "image/png")
