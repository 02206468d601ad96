"""What can be told of a roster's row by its form alone, for whoever previews a roster before `import_people` takes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from services.identity.rules import profile, teacher
from services.identity.rules.contact import is_mainland_mobile, is_name, normalised_name, normalised_phone
from services.identity.rules.documents import IdType, id_no_problem, normalised_id_no


def fault_in_person(values: Mapping[str, str], today: dt.date) -> tuple[str, str] | None:
    """The code and field that `import_people` would refuse this row with, None when its form is right."""
    return next(((code, field) for code, field in _problems(values, today) if code), None)


def _problems(values: Mapping[str, str], today: dt.date) -> Iterator[tuple[str, str]]:
    """In the order in which they are told."""
    yield "" if is_mainland_mobile(normalised_phone(values["phone"])) else "identity.phone_form", "phone"
    yield "" if is_name(normalised_name(values["name"])) else "identity.name_form", "name"
    id_type, id_no = IdType(values.get("id_type") or IdType.RESIDENT_ID), normalised_id_no(values["id_no"])
    yield id_no_problem(id_type, id_no, today), "id_no"
    segment = profile.segment_of(values["segment"])
    yield "" if segment else "identity.segment_unknown", "segment"
    if segment:
        subject = profile.subject_for(segment, values.get("subject", ""))
        yield profile.subject_problem(segment, subject), "subject"
    born_on = teacher.birth_date_of(id_type, id_no)
    yield teacher.birth_date_problem(born_on, born_on, today), "birth_date"
