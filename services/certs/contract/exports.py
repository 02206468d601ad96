"""What certs hands out as files: the process type that makes them, and their kinds."""

from __future__ import annotations

from typing import Final

PROCESS: Final = "certs-bulk"

EXPORT_CERTIFICATES: Final = "export_certificates"
EXPORT_CERTIFICATE_STATISTICS: Final = "export_certificate_statistics"
