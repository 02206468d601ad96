"""Who may do what: the table of rights, transcribed, and what follows from it for each role and level.

Expectations come from here and never from the services' policies. `TABLE` is `domain.md` §1.2 word for word; the last column names
the line of the manual that says so, `[I]` marks a decision of ours. `FURTHER` adds the rights that the section lists below
the table, and `OWN_ACCOUNT` what every person does with the own account and everybody with public facts.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Final

TABLE: Final = """
| capability | A3 | A4 | A5 | A6 | A7cty | A7city | A7prov | A8 | A9 | A10 | A11 | A13 | pointer |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
| edit own unverified profile | S | - | - | - | - | - | - | - | - | - | - | - | S0:176 |
| edit own verified profile | - | via release | - | - | - | - | - | - | - | - | - | - | S0:176, S3:246 |
| verify / reject teacher | - | - | O [I] | O | - | - | - | - | - | - | - | - | S1 p.1 §1, S3:182 |
| remove teacher from school | - | - | - | O | - | - | - | - | - | - | - | - | S0:176 |
| re-open profile (重新更新) | - | - | - | O | - | - | - | - | - | - | - | - | S3:246 |
| add teacher, issue learner no. (学号) | - | - | - | O | - | - | - | - | - | - | - | - | S3:75 |
| request inbound transfer | - | - | - | O (receiving) | - | - | - | - | - | - | - | - | S3:160 |
| approve transfer in one district | - | - | - | - | T | - | - | - | T | - | - | - | S3:164 |
| approve transfer across districts | - | - | - | - | - | T | - | - | - | T | - | - | S3:164 |
| archive / restore teacher | - | - | - | O | - | - | - | - | - | - | - | - | S3:187-192 |
| grant principal | - | - | - | O | - | - | - | - | - | - | - | - | S3:196 |
| unlock account | - | - | - | O | - | - | - | - | - | - | - | - | S3:273 |
| reset teacher password | - | - | - | O | - | - | - | - | - | - | - | - | S2:32, S3:232 |
| edit school information | - | - | O [I] | O | T | D | D | as level | - | - | - | T | S1 p.1 §2, S3:64 |
| create / delete school or institution | - | - | - | - | T (county) | D (city-direct) | D (prov-direct) | as level | - | - | - | T | S1 p.1 §2 |
| transfer a school | - | - | - | - | asks | T across counties, at county request | T across cities, at city request | as level | - | - | - | T | S1 p.1 §2 (see §3.7) |
| generate + hand out school admin code (权限码) | - | - | - | - | T | D | D | as level | - | - | - | T | S1 p.1 §2(3) |
| create specialised admin, next-lower super | - | - | - | - | - | - | - | own level / one below | - | - | - | first ones | S1 p.1 §1 |
| see activation progress of admins below | - | - | - | - | T | T | T | T | - | - | - | T | S1 contents p.3 §1 |
| training statistics | S | S | O | O | T | T | T | T | T | T | P | T | S1 contents, S3:507-509 |
| export personal data | - | - | - | O + SMS | T + SMS | T + SMS | T + SMS | T + SMS | T + SMS | T + SMS | P + SMS | T + SMS | S3:290 |
| choose courses for others | - | - | - | O, not for 能力提升 | - | - | - | - | - | - | - | - | S3:339,366 |
| cancel own choice inside window | S | S | - | O | - | - | - | - | - | - | - | - | S3:364,396 |
| cancel choice after window | - | - | - | - | - | - | - | - | P | P | P | - | S3:396 |
| view bills, print payment notice | - | - | O | O | - | - | - | - | T | T | - | - | S3:400-412 |
| clear special user (特殊用户) | - | - | - | - | - | - | - | - | - | T | - | - | S3:167,268 |
| apply for school-based course | - | - | - | O | - | - | - | - | - | - | - | - | S3:452-461 |
| approve school-based course | - | - | - | - | T | - | - | - | T | - | - | - | S3:452, S2:150 |
| enter school-based grades, this year only | - | - | - | O | - | - | - | - | - | - | - | - | S3:484 |
| recognise school-based credit | - | - | - | O (course approved by county) | - | - | - | - | - | - | - | - | S2:150 |
| apply for special training (专项培训) | S | S | - | - | - | - | - | - | - | - | - | - | S3:734 |
| review special-training applicant | - | - | O (1st) | - | T (2nd) | - | - | - | T (2nd) | - | P (3rd) | - | S3:734 |
| declare outside hours | - | S | - | - | - | - | - | - | - | - | - | - | S3:752 |
| first review of declared hours | - | - | - | O | - | - | - | - | - | - | - | - | S3:494-502 |
| final review of declared hours | - | - | - | - | T | T | T | - | T | T | - | - | S3:752 |
| complaint about annual verification | S | S | - | - | - | - | - | - | - | - | - | - | S3:524 |
| handle complaint | - | - | - | - | T | - | - | - | T | - | - | - | S3:524 |
| publish announcement | - | - | - | O [I] | T | T | T | T | T | T | P | T | S3:518 |
| define rule pack / season | - | - | - | - | - | [I] own pack | T | T | - | T | P | T | S2:150 "谁组织、谁负责" |
"""

# The rights that the section lists below the table ("Further rights"), and what it takes for granted. Same letters; `T` of a
# national role is the nation.
FURTHER: Final = """
| capability | A0 | A1 | A3 | A4 | A5 | A6 | A7cty | A7city | A7prov | A8cty | A8city | A8prov | A9 | A10 | A11 | A13 | A14 | A17 | pointer |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
| see public facts | N | N | N | N | N | N | N | N | N | N | N | N | N | N | N | N | N | N | §1.1 A0: may browse |
| register, sign in | N | N | N | N | N | N | N | N | N | N | N | N | N | N | N | N | N | N | §1.1 A0: may register |
| keep the own account | - | S | S | S | S | S | S | S | S | S | S | S | S | S | S | S | S | S | §1.1: one natural person = one account |
| study, and see the own study | - | S | S | S | S | S | S | S | S | S | S | S | S | S | S | S | S | S | §1.1 A3, A4; an administrator is a teacher too |
| be a teacher of a school | - | - | S | S | S | S | S | S | S | S | S | S | S | S | S | S | S | S | §3.1; a student or guardian is none (S0:152-170) |
| list the teachers of a school or region | - | - | - | - | O | O | T | T | T | T | T | T | - | - | - | T | - | - | S3:196-232 (A5, A6), S1 p.1 §2(3) (A7cty), [I] above |
| see who administers | - | - | - | - | - | O | T | T | T | T | T | T | - | - | - | T | - | - | S3:268-280 (A6), S1 contents p.3 §1 |
| load rosters of a territory | - | - | - | - | - | - | T | T | T | T | T | T | - | - | - | T | - | - | S1 p.1 §2(3) |
| approve transfer across cities | - | - | - | - | - | - | - | - | T | - | - | - | - | - | - | - | - | - | Further rights |
| approve transfer across provinces | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - | T | - | - | Further rights |
| unlock administrators and teachers in 其他 | - | - | - | - | - | - | T | T | T | T | T | T | - | - | - | T | - | - | Further rights; above the county [I] |
| decide phone tickets | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - | T | - | Further rights, S0:135 |
| search the audit trail | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - | T | Further rights |
| reset the password of administrators and teachers in 其他 | - | - | - | - | - | - | T | T | T | T | T | T | - | - | - | T | - | - | as unlocking [I] |
| look at the units of a region | - | - | - | - | O | O | T | T | T | T | T | T | T | T | - | T | - | - | S1 p.1 §2; the institutions of S3:164 by their region [I] |
| see a school's people in clear | - | - | - | - | O + SMS | O + SMS | T + SMS | T + SMS | T + SMS | T + SMS | T + SMS | T + SMS | - | - | - | T + SMS | - | - | §3.11: sensitive views |
| ask for the move of a school | - | - | - | - | - | - | T | T | T | T | T | T | - | - | - | T | - | - | the table's "asks", §3.7: the lower admin, of either side [I] |
| see transfers of a school or region | - | - | - | - | O | O | T | T | T | T | T | T | T | T | - | T | - | - | S3:160-167; who is concerned |
| see special users | - | - | - | - | - | O | - | - | - | - | - | - | T | T | - | - | - | - | Further rights, S3:268-280 |
| see how many teachers there are | - | - | - | - | O | O | T | T | T | T | T | T | T | T | - | T | - | - | as training statistics |
| review corrected profiles | - | - | - | - | - | O | - | - | - | - | - | - | - | - | - | - | - | - | S3:182, 246; docs/adr/0010 |
| review who administers a school | - | - | - | - | - | O | T | D | D | - | - | - | - | - | - | - | - | - | who has no colleague to review him, as unlocking administrators [I] |
| see corrected profiles in clear | - | - | - | - | - | O + SMS | - | - | - | - | - | - | - | - | - | - | - | - | §3.11 |
| look for people | - | - | - | - | - | O | T | T | T | T | T | T | T | T | - | T | T | - | S3:490 (filters by name, learner number); support S0:135 |
| merge the records of one person | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - | T | T | - | support or the nation's operator, two persons (§1.1 A13, A14) [I] |
| answer requests for a missing school | - | - | - | - | - | - | T | T | T | T | T | T | - | - | - | T | - | - | S0:107-112, as creating |
| see how a territory admits teachers | - | - | - | - | - | - | T | T | T | T | T | T | - | - | - | T | - | - | §3.1 tenant modes [I] |
| say how a territory admits teachers | - | - | - | - | - | - | - | - | - | T | T | T | - | - | - | T | - | - | §3.1 tenant modes: whoever appoints its administrators [I] |
| revoke or re-issue certificates | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - | T | - | - | Further rights; the issuer of every season is the nation, so no A8 below it |
| review conspicuous study | - | - | - | - | - | - | T | - | - | - | - | - | T | - | - | - | - | - | §4.8 f: anomalies go to review; as complaints, S3:524 [I] |
| let a held issue of certificates go on | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - | T | - | - | seasons are the nation's (A13); reliability.md 12 [I] |
| keep the courses of a city, district or institution | - | - | - | - | - | - | - | - | - | - | - | - | T | T | O | - | - | - | §1.1 A9-A11; the institution its own projects' |
| keep a city's periods | - | - | - | - | - | - | - | - | - | - | - | - | - | T | - | - | - | - | Further rights: open a period A10 (city) |
| keep a district's periods | - | - | - | - | - | - | - | - | - | - | - | - | T | - | - | - | - | - | Further rights: open a period A9 (district) |
| enter grades of a period's courses | - | - | - | - | - | - | - | - | - | - | - | - | T | T | P | - | - | - | Further rights: A10 (city), A9 (district); the institution its own |
| see who chose what | - | - | - | - | O | O | T | T | T | T | T | T | T | T | - | T | - | - | S3:374-396 (A6), S3:419-421; those above as training statistics [I] |
| register payments and set special users of a city | - | - | - | - | - | - | - | - | - | - | - | - | - | T | - | - | - | - | Further rights, S3:268 |
| register payments of a district | - | - | - | - | - | - | - | - | - | - | - | - | T | - | - | - | - | - | as the city's: S3:164, 167 [I] |
| hold the class of a special-training project | - | - | - | - | - | - | - | - | - | - | - | - | - | - | P | - | - | - | S3:734, S2:80-94: notice, timetable and check-in are the institution's |
| enter special-training hours | - | - | - | - | - | - | - | - | - | - | - | - | - | - | P | - | - | - | Further rights, S3:734 |
| register completion certificates | - | - | - | - | - | - | - | - | - | - | - | - | T | T | - | - | - | - | S2:171: issued by the institution (A9, A10 in their territory; A11 reaches no teacher by place) [I] |
| between services only | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - | architecture.md §3 decision 16 |
"""


class Column(enum.StrEnum):
    """An actor of the table; region admins by level."""

    VISITOR = "A0"
    STUDENT = "A1"
    UNVERIFIED = "A3"
    VERIFIED = "A4"
    PRINCIPAL = "A5"
    SCHOOL_ADMIN = "A6"
    COUNTY_ADMIN = "A7cty"
    CITY_ADMIN = "A7city"
    PROVINCE_ADMIN = "A7prov"
    COUNTY_SUPER = "A8cty"
    CITY_SUPER = "A8city"
    PROVINCE_SUPER = "A8prov"
    DISTRICT_INSTITUTION = "A9"
    CITY_CENTRE = "A10"
    TRAINING_INSTITUTION = "A11"
    OPERATOR = "A13"
    SUPPORT = "A14"
    AUDITOR = "A17"


class Scope(enum.StrEnum):
    """How far a right reaches."""

    NONE = "-"
    EVERYBODY = "N"  # whoever asks, whomever it is about
    SELF = "S"
    OWN_SCHOOL = "O"
    TERRITORY = "T"
    PROJECTS = "P"  # of an institution; needs projects, which come later
    DIRECT = "D"  # units attached directly to the own place
    DELEGATED = "delegated"  # decided by role and place together: `test_delegation`


@dataclasses.dataclass(frozen=True)
class Right:
    scope: Scope
    step_up: bool = False


NO_RIGHT = Right(Scope.NONE)
_LEVEL_OF_SUPER = {Column.COUNTY_SUPER: "A7cty", Column.CITY_SUPER: "A7city", Column.PROVINCE_SUPER: "A7prov"}
_DELEGATED = frozenset({"own level / one below", "first ones"})
# Cells that give no direct right: another path, or only a proposal (which is a capability of its own here).
_NO_DIRECT_RIGHT = frozenset({"via release", "asks"})


def _right(cell: str) -> Right:
    if cell in _DELEGATED:
        return Right(Scope.DELEGATED)
    if cell in _NO_DIRECT_RIGHT:
        return NO_RIGHT
    letter = "T" if cell == "[I] own pack" else cell[:1]
    return Right(Scope(letter), step_up="+ SMS" in cell)


def _rows(table: str) -> list[dict[str, str]]:
    lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.strip().splitlines()]
    header, _, *rows = lines
    return [dict(zip(header, row, strict=True)) for row in rows]


def _columns(row: dict[str, str]) -> dict[Column, Right]:
    rights = {}
    for column in Column:
        cell = row.get(column.value, "")
        if not cell and column in _LEVEL_OF_SUPER:
            cell = row["A8"]
            if cell == "as level":
                cell = row[_LEVEL_OF_SUPER[column]]
        rights[column] = _right(cell) if cell else NO_RIGHT
    return rights


_TERRITORY = Right(Scope.TERRITORY)
# Where what is built differs from the table on purpose, and why.
DECIDED: Final[dict[str, dict[Column, Right]]] = {
    # §1.1 says of A8 "A7 rights + generate …", the table leaves its column empty here; whoever has no specialised admin
    # at a level would otherwise leave declarations unanswered.
    "final review of declared hours": dict.fromkeys(_LEVEL_OF_SUPER, _TERRITORY),
}
CAPABILITIES: Final[dict[str, dict[Column, Right]]] = {
    row["capability"]: _columns(row) | DECIDED.get(row["capability"], {})
    for table in (TABLE, FURTHER)
    for row in _rows(table)
}

# Rows that no endpoint offers yet; one that an endpoint takes up must leave this list (a test holds it to that).
NOT_BUILT: Final = frozenset(
    {
        "apply for school-based course",
        "approve school-based course",
        "enter school-based grades, this year only",
        "recognise school-based credit",
        "publish announcement",
    }
)
