"""The 2023 winter season from the first import to certificates that a stranger checks, told over HTTP.

Each chapter acts as one person of the manuals would and asserts what that person must see; nothing here knows a table
or a service. Runs in one installation do not meet: each is an edition with programme, school and people of its own.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import time
from collections.abc import Callable
from typing import Any

from services.shared.clock import FileClock
from yanxiu.journey import people
from yanxiu.journey.api import Api, ProblemError
from yanxiu.journey.examples import EXAMPLES, Example
from yanxiu.journey.people import Person
from yanxiu.journey.rosters import export, import_roster
from yanxiu.journey.viewing import Timetable, Viewer, beijing

COUNTY = "440103"  # 荔湾区, 广州市
COUNTY_PLACE = "CN/440000/440100/440103"
NEIGHBOUR_COUNTY = "440105"
BEFORE_THE_SEASON = "2022-12-01T08:30:00"
STUDY_BEGINS = "2023-01-10T08:00:00"
SCHOOL_CREATED = "2023-02-10T09:00:00"
SEASON_CLOSES = "2023-03-01T00:00:00"
SETTLE_SECONDS = 60.0


@dataclasses.dataclass
class Row:
    """One line of the result table."""

    id: str
    told: str
    expected: str
    found: str

    @property
    def right(self) -> bool:
        return self.expected == self.found


@dataclasses.dataclass
class Results:
    rows: list[Row] = dataclasses.field(default_factory=list)
    sign_ins: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)  # who, phone, password
    addresses: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def note(self, id_: str, told: str, expected: object, found: object) -> None:
        self.rows.append(Row(id_, told, str(expected), str(found)))

    @property
    def wrong(self) -> list[Row]:
        return [row for row in self.rows if not row.right]


@dataclasses.dataclass
class Participant:
    """One example's teacher."""

    example: Example
    person: Person
    api: Api


class Story:
    """Tells the season. `report(chapter, done, total)` is called as it goes on."""

    def __init__(
        self,
        address: str,
        clock: FileClock,
        operator: Person,
        operator_password: str,
        roster: Callable[[int], tuple[bytes, bytes]],
        season: dict[str, Any],
        report: Callable[[str, int, int], None] = lambda *_: None,
    ) -> None:
        self.address = address
        self.clock = clock
        self.results = Results()
        self.viewers: list[Viewer] = []
        self._operator_person = operator
        self._operator_password = operator_password
        self._roster = roster
        self._season = season
        self._report = report

    def tell(self) -> Results:
        # Any of four weeks: stories of one installation share the operator, whose phone gets ten codes a day.
        self.clock.set(beijing(BEFORE_THE_SEASON) - dt.timedelta(days=random.randrange(28)))  # noqa: S311  no secret
        self.operator = self._sign_operator_in()
        self.edition = self._publish_edition()
        self.county_admin = self._appoint_county_admin()
        self._import_rosters()
        self._reject_a_double()
        school = self._create_school("城区实验小学")
        school_admin = self._appoint_school_admin(school, 1)
        participants = self._register_participants(school)
        self._enrol_and_study(participants)
        self._export_teachers()
        self._correct_school(participants, school_admin)
        self._verify(participants, school, school_admin)
        self._close_the_season(participants)
        self._verify_late(participants, school, school_admin)
        self._check_ends(participants)
        self._check_as_stranger(participants)
        return self.results

    # --- before the season ---

    def _sign_operator_in(self) -> Api:
        api, phone = Api(self.address), self._operator_person.phone
        try:
            api.sign_in(phone, self._operator_password)
        except ProblemError:
            # The first time there is no password yet: the phone opens the teacher's desk, where one is set.
            api.sign_in(phone)
            api.post("/accounts/me/password", {"password": self._operator_password})
            api.sign_in(phone, self._operator_password)
        api.open_desk()
        self.results.sign_ins.append(("national operator", phone, self._operator_password))
        return api

    def _publish_edition(self) -> int:
        """Publish the season as the next edition of this installation; returns its number."""
        codes = {item["code"] for item in self._all("/programmes")}
        edition = next(number for number in range(1, 1000) if self._code(number) not in codes)
        published = self.operator.post("/programmes", {**self._season, "code": self._code(edition)})
        self.programme_id = published["programme_id"]
        self.programme = self.operator.get(f"/programmes/{self.programme_id}")
        self.results.note("season", "programme published, courses", 5, len(self.programme["courses"]))
        return edition

    def _code(self, edition: int) -> str:
        code = str(self._season["code"])
        return code if edition == 1 else f"{code}-{edition}"

    def _all(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": 200}
        while True:
            page = self.operator.get(path, **query)
            items += page["items"]
            if not page["next_cursor"]:
                return items
            query["cursor"] = page["next_cursor"]

    def _invent(self, number: int) -> Person:
        return people.invent(self.edition, number)

    def _appoint(self, person: Person, role: str, place: str, by: Api, password: str) -> Api:
        api = Api(self.address)
        api.register(person.phone, password)
        api.patch("/profiles/me", person.profile())  # administrators act under their true name
        by.post("/grants", {"account_id": api.account_id, "role": role, "place": place})
        self._until(
            lambda: any(grant["role"] == role for grant in api.get("/accounts/me")["grants"]), f"{role} granted"
        )
        api.refresh()
        self._note_closed_desk(api, role, place)
        api.open_desk()
        return api

    def _note_closed_desk(self, api: Api, role: str, place: str) -> None:
        """The password alone gives no administrator's rights."""
        try:
            api.get("/grants", place=place)
            found = "allowed"
        except ProblemError as problem:
            found = str(problem.status)
        self.results.note("desk", f"{role} at the teacher's desk", "403", found)

    def _appoint_county_admin(self) -> Api:
        person, password = self._invent(901), "County-admin-2023"
        api = self._appoint(person, "COUNTY_ADMIN", COUNTY_PLACE, self.operator, password)
        self.results.sign_ins.append(("county administrator", person.phone, password))
        return api

    def _import_rosters(self) -> None:
        """Schools and 200 teachers from spreadsheets: the ten faulty rows are told, a second time changes nothing."""
        schools, teachers = self._roster(self.edition)
        import_roster(self.county_admin, "import_schools", schools)
        first = import_roster(self.county_admin, "import_teachers", teachers)
        second = import_roster(self.county_admin, "import_teachers", teachers)
        refused = first["rows"]
        self.results.note("import", "roster: created, refused", (190, 10), (first["counts"]["created"], len(refused)))
        self.results.note(
            "import", "each refusal tells row, field and reason", True, all(_is_told(row) for row in refused)
        )
        self.results.note(
            "import",
            "the same file again: created, unchanged",
            (0, 190),
            (second["counts"]["created"], second["counts"]["unchanged"]),
        )

    def _export_teachers(self) -> None:
        """The county takes its teachers out as a file: not without a fresh code, and with its purpose on it."""
        try:
            export(self.county_admin, "export_teachers", COUNTY_PLACE)
            code = "exported without a code"
        except ProblemError as problem:
            code = problem.code
        self.results.note("export", "without a fresh SMS code", "shared.step_up_needed", code)
        self.county_admin.step_up()
        header, *rows = export(self.county_admin, "export_teachers", COUNTY_PLACE)
        named = [row for row in rows if row[header.index("姓名")] and row[header.index("证件号码")]]
        self.results.note(
            "export", "teachers of the roster in the file, each with name and number", True, len(named) >= 190
        )

    def _reject_a_double(self) -> None:
        person = self._invent(900)
        Api(self.address).register(person.phone)
        try:
            Api(self.address).register(person.phone)
            code = "registered twice"
        except ProblemError as problem:
            code = problem.code
        self.results.note("register", "the same phone again is refused", "identity.phone_taken", code)

    def _create_school(self, name: str) -> dict[str, Any]:
        school: dict[str, Any] = self.county_admin.post(
            "/schools",
            {
                "division_code": COUNTY,
                "name": f"{name}（{self.edition}）",
                "school_type": "PRIMARY",
                "seal_name": f"广州市荔湾区{name}",
                "town": "西村街道",
                "nature": "PUBLIC",
                "head_name": "赵玉兰",
                "head_mobile": "13900000001",
            },
        )
        return school

    def _appoint_school_admin(self, school: dict[str, Any], number: int) -> Api:
        person, password = self._invent(910 + number), f"School-admin-{number}-2023"
        api = self._appoint(person, "SCHOOL_ADMIN", school["place"], self.county_admin, password)
        self.results.sign_ins.append((f"school administrator, {school['name']}", person.phone, password))
        return api

    # --- teachers ---

    def _register_participants(self, school: dict[str, Any]) -> list[Participant]:
        participants = []
        for number, example in enumerate(EXAMPLES, start=1):
            self._report("registering", number, len(EXAMPLES))
            person, api = self._invent(number), Api(self.address)
            password = f"Teacher-{example.id}-2023"
            api.register(person.phone, password)
            if example.id in ("W01", "W11"):
                self.results.sign_ins.append((f"teacher {example.id}", person.phone, password))
            api.patch("/profiles/me", person.profile())
            where = {"other_of": COUNTY} if example.id == "W11" else {"school_id": school["school_id"]}
            api.post("/memberships", where)
            participants.append(Participant(example, person, api))
        return participants

    def _enrol_and_study(self, participants: list[Participant]) -> None:
        timetable = Timetable(self.clock)
        timetable.advance(beijing(STUDY_BEGINS))
        for number, one in enumerate(participants):
            one.api.post("/enrolments", {"programme_id": self.programme_id})
            starts = beijing(STUDY_BEGINS) + dt.timedelta(minutes=1, seconds=number)
            self.viewers.append(Viewer(one.api, self.programme))
            timetable.add(self.viewers[-1], list(one.example.pieces), starts)
        begin, end = beijing(STUDY_BEGINS), beijing("2023-01-10T15:00:00")
        span = int((end - begin).total_seconds())
        timetable.run(
            beijing("2023-01-19T08:00:00"),
            lambda now: self._report("studying", min(int((now - begin).total_seconds()), span), span),
        )
        w04 = self._of(participants, "W04")
        self._note_hours(w04, "W04", "closed at 12:00, not yet watched to the end", "0.00")
        timetable.run(beijing(SCHOOL_CREATED))
        self._timetable = timetable

    def _correct_school(self, participants: list[Participant], school_admin: Api) -> None:
        """W11: the county creates the missing school in February; she picks it, and its administrator verifies her."""
        one = self._of(participants, "W11")
        self._note_hours(one, "W11", "hours earned under 其他", "6.00")
        self.new_school = self._create_school("新港小学")
        new_admin = self._appoint_school_admin(self.new_school, 2)
        one.api.post("/memberships", {"school_id": self.new_school["school_id"]})
        self._review(new_admin, self.new_school, one)
        # The administrator of another school knows nothing of her.
        try:
            school_admin.post(f"/memberships/{one.api.account_id}/verification")
            code = "allowed"
        except ProblemError as problem:
            code = str(problem.status)
        self.results.note("scope", "another school's administrator may not verify her", "404", code)

    def _review(self, admin: Api, school: dict[str, Any], one: Participant) -> None:
        pending = admin.get("/memberships", school_id=school["school_id"], state="PENDING", limit=200)["items"]
        assert any(item["teacher_id"] == one.api.account_id for item in pending), "the queue does not show the teacher"
        admin.post(f"/memberships/{one.api.account_id}/verification")

    def _verify(self, participants: list[Participant], school: dict[str, Any], admin: Api) -> None:
        for one in participants:
            if one.example.verified and one.example.id != "W11":
                self._review(admin, school, one)

    # --- the end of the season ---

    def _close_the_season(self, participants: list[Participant]) -> None:
        self._timetable.run(beijing("2023-02-28T23:58:00"))
        self._timetable.run(beijing("2023-03-01T00:05:00"))
        self._until(
            lambda: self.operator.get(f"/programmes/{self.programme_id}")["state"] not in ("OPEN", "PARTIAL_OPEN"),
            "the programme closes by its date",
        )
        self._report("closing", 1, 1)
        for one in participants:
            expected = "BLOCKED" if one.example.verified_late else one.example.certificate
            state = self._settled_state(one, expected)
            if one.example.verified_late:
                self.results.note(one.example.id, "not verified when the season closes", "BLOCKED", state)

    def _verify_late(self, participants: list[Participant], school: dict[str, Any], admin: Api) -> None:
        self._timetable.advance(beijing("2023-03-10T09:00:00"))
        for one in participants:
            if one.example.verified_late:
                self._review(admin, school, one)

    def _check_ends(self, participants: list[Participant]) -> None:
        for one in participants:
            example = one.example
            self._note_hours(one, example.id, example.told, example.hours)
            hours = one.api.get(f"/programmes/{self.programme_id}/hours")
            courses = {course["key"]: course for course in hours["courses"]}
            for key, expected in example.courses:
                self.results.note(example.id, f"hours of {key}", expected, courses[key]["hours"])
            for key, seconds in example.studied:
                self.results.note(example.id, f"seconds studied of {key}", seconds, courses[key]["studied_seconds"])
            silent = [key for key, course in courses.items() if course["hours"] == "0.00" and not course["reasons"]]
            self.results.note(example.id, "every zero has its reason", [], silent)
            state = self._settled_state(one, example.certificate)
            self.results.note(example.id, "certificate", example.certificate, state)

    def _check_as_stranger(self, participants: list[Participant]) -> None:
        """Anyone checks a certificate: by number, by the address in its QR code, by API."""
        stranger = Api(self.address)
        one = self._of(participants, "W11")
        certificate = one.api.get("/certificates")["items"][0]
        number = certificate["number"]
        shown = stranger.get(f"/verifications/{number}")
        self.results.note("verify", "state by API", "VALID", shown["state"])
        self.results.note("verify", "school on the certificate", self.new_school["name"], shown["school_name"])
        self.results.note(
            "verify",
            "the name is masked",
            True,
            shown["holder_name"] != one.person.name and "*" in shown["holder_name"],
        )
        page = stranger.http.get(certificate["verification_url"], timeout=30)
        self.results.note("verify", "page at the QR address", True, page.status_code == 200 and number in page.text)
        pdf = one.api.send("GET", f"/certificates/{certificate['certificate_id']}/pdf")
        self.results.note("verify", "PDF", b"%PDF-", pdf.content[:5])
        forged = number[:-1] + ("2" if number[-1] != "2" else "3")
        try:
            stranger.get(f"/verifications/{forged}")
            status = 200
        except ProblemError as problem:
            status = problem.status
        self.results.note("verify", "a forged number is unknown", 404, status)
        self.results.addresses.append(("certificate of teacher W11", certificate["verification_url"]))

    # --- looking ---

    def _of(self, participants: list[Participant], id_: str) -> Participant:
        return next(one for one in participants if one.example.id == id_)

    def _settled_state(self, one: Participant, expected: str) -> str:
        """The state of the teacher's certificate, once it is as expected or at last."""
        return self._settled(lambda: one.api.get(f"/programmes/{self.programme_id}/standing")["state"], expected)

    def _note_hours(self, one: Participant, id_: str, told: str, expected: str) -> None:
        found = self._settled(lambda: one.api.get(f"/programmes/{self.programme_id}/hours")["hours"], expected)
        self.results.note(id_, told, expected, found)

    def _settled(self, look: Callable[[], str], expected: str) -> str:
        """What `look` sees once it is as expected, or at last: reports and events take a moment to arrive."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while (found := look()) != expected and time.monotonic() < deadline:
            time.sleep(0.2)
        return found

    def _until(self, look: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        while not look():
            if time.monotonic() > deadline:
                raise TimeoutError(what)
            time.sleep(0.1)


def _is_told(row: dict[str, Any]) -> bool:
    return bool(row["number"] and row["code"] and row["message"])
