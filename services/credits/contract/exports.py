"""What credits hands out as files: the process type that makes them, and their kinds."""

from __future__ import annotations

from typing import Final

PROCESS: Final = "credits-bulk"

EXPORT_VERIFICATIONS: Final = "export_verifications"
EXPORT_DECLARATIONS: Final = "export_declarations"
EXPORT_STATISTICS: Final = "export_statistics"
EXPORT_CREDIT_MATRIX: Final = "export_credit_matrix"
