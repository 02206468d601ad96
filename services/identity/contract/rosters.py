"""What can be told of a roster's row by its form alone, for whoever previews a roster before `import_people` takes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from services.identity.rules.roster import FormFault, read_person


def fault_in_person(values: Mapping[str, str], today: dt.date) -> tuple[str, str] | None:
    """The code and field that `import_people` would refuse this row with, None when its form is right."""
    read = read_person(values, today)
    return (read.code, read.field) if isinstance(read, FormFault) else None
