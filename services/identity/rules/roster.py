"""What a row of a roster tells about a person, judged by its form alone."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Mapping

from services.identity.rules import profile
from services.identity.rules.contact import is_mainland_mobile, is_name, normalised_name, normalised_phone
from services.identity.rules.documents import Gender, IdType, gender_of, id_no_problem, normalised_id_no
from services.identity.rules.teacher import birth_date_of


@dataclasses.dataclass(frozen=True)
class RosterPerson:
    """A person as a roster names one, normalised, with what follows from the number."""

    phone: str
    name: str
    id_type: IdType
    id_no: str
    gender: Gender
    birth_date: str
    segment: str
    subject: str


@dataclasses.dataclass(frozen=True)
class FormFault:
    code: str
    field: str


def read_person(values: Mapping[str, str], today: dt.date) -> RosterPerson | FormFault:
    """The row's person, or the first of its faults in the order of the checks below. `today` is the Beijing day."""
    phone = normalised_phone(values["phone"])
    if not is_mainland_mobile(phone):
        return FormFault("identity.phone_form", "phone")
    name = normalised_name(values["name"])
    if not is_name(name):
        return FormFault("identity.name_form", "name")
    id_type, id_no = IdType(values.get("id_type") or IdType.RESIDENT_ID), normalised_id_no(values["id_no"])
    if problem := id_no_problem(id_type, id_no, today):
        return FormFault(problem, "id_no")
    taught = _taught(values["segment"], values.get("subject", ""))
    if isinstance(taught, FormFault):
        return taught
    born_on = birth_date_of(id_type, id_no)
    return RosterPerson(phone, name, id_type, id_no, gender_of(id_type, id_no), born_on, *taught)


@functools.lru_cache(maxsize=1000)
def _taught(segment_text: str, subject_text: str) -> tuple[str, str] | FormFault:
    """Segment and subject to keep; a school's whole roster names a handful of pairs."""
    segment = profile.segment_of(segment_text)
    if segment is None:
        return FormFault("identity.segment_unknown", "segment")
    subject = profile.subject_for(segment, subject_text)
    problem = profile.subject_problem(segment, subject)
    return FormFault(problem, "subject") if problem else (segment, subject)
