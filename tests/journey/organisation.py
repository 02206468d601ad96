"""How people of the manuals live in the organisation, told over HTTP: codes, schools, teachers, transfers, phones, exports.

Each chapter acts as one person would and asserts what that person must see. Runs in one installation do not meet: each has
a number, and invents people and schools of its own.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from yanxiu.journey import people
from yanxiu.journey.api import ADMINISTRATOR, Api, ProblemError
from yanxiu.journey.people import Person

PROVINCE, CITY = "CN/440000", "CN/440000/440100"
LIWAN, YUEXIU = f"{CITY}/440103", f"{CITY}/440104"
WITHIN_A_SECOND = 1.0
SETTLE_SECONDS = 30.0


@dataclasses.dataclass
class Somebody:
    """A person with the client that acts for them."""

    person: Person
    password: str
    api: Api

    @property
    def account_id(self) -> str:
        return self.api.account_id


class Organisation:
    """Both operators are at the administrator's desk: what a province is given takes two persons; `series` keeps the people of several runs apart."""

    def __init__(self, address: str, operator: Api, second_operator: Api, series: int) -> None:
        self.address, self.operator, self.second_operator, self.series = address, operator, second_operator, series
        self._people = 0

    def tell(self) -> None:
        self.appoint_by_codes()
        self.ask_for_a_missing_school()
        self.review_and_correct_profiles()
        self.add_a_teacher()
        self.archive_and_restore()
        self.transfer_across_counties()
        self.move_a_school()
        self.change_a_phone()
        self.help_who_forgot_the_password()
        self.export_with_step_up()
        self.take_a_right_away()

    # --- people -----------------------------------------------------------------------------------------------------------

    def somebody(self) -> Somebody:
        """A registered teacher with a complete profile."""
        self._people += 1
        person, api = people.invent(self.series, self._people), Api(self.address)
        password = f"Person-{self.series}-{self._people}-pw"
        api.register(person.phone, password)
        api.patch("/profiles/me", person.profile())
        return Somebody(person, password, api)

    def at_desk(self, who: Somebody, role: str) -> Somebody:
        """The person at the administrator's desk, once the grant has arrived there."""
        until(lambda: any(grant["role"] == role for grant in who.api.get("/accounts/me")["grants"]), f"{role} granted")
        who.api.refresh()
        who.api.open_desk()
        return who

    def by_code(self, giver: Api, role: str, place: str) -> Somebody:
        """Somebody who activated an authority code with an ordinary account."""
        code = giver.post("/authority-codes", {"place": place, "role": role})
        if code["state"] == "PROPOSED":  # of a province
            self.second_operator.post(f"/authority-codes/{code['code_id']}/approval", {})
        who = self.somebody()
        until(lambda: who.api.post("/authority-code-activations", {"code": code["code"]}), "the code activated", 409)
        return self.at_desk(who, role)

    # --- chapters ---------------------------------------------------------------------------------------------------------

    def appoint_by_codes(self) -> None:
        """A province's super admin appoints downwards by codes; each level sees its own activation only."""
        grants = self.operator.get("/grants", place=PROVINCE, limit=200)["items"]
        present = any(g["role"] == "SUPER_ADMIN" and g["place"] == PROVINCE and g["state"] == "ACTIVE" for g in grants)
        if present:
            self.province = self.second_super_admin(PROVINCE)
        else:
            self.province = self.by_code(self.operator, "SUPER_ADMIN", PROVINCE)
        self.city = self.by_code(self.province.api, "SUPER_ADMIN", CITY)
        self.city_admin = self.by_code(self.city.api, "CITY_ADMIN", CITY)
        self.county_super = self.by_code(self.city.api, "SUPER_ADMIN", LIWAN)
        self.county = self.by_code(self.county_super.api, "COUNTY_ADMIN", LIWAN)
        self.other_super = self.by_code(self.city.api, "SUPER_ADMIN", YUEXIU)
        self.other_county = self.by_code(self.other_super.api, "COUNTY_ADMIN", YUEXIU)
        refused(lambda: self.county.api.post("/authority-codes", {"place": CITY, "role": "CITY_ADMIN"}), 404)
        refused(
            lambda: self.city_admin.api.post("/authority-codes", {"place": CITY, "role": "CITY_ADMIN"}),
            403,
            "org.grant_refused",
        )
        stranger = self.somebody()
        refused(
            lambda: stranger.api.post("/authority-code-activations", {"code": "7KQ2MX-9RTWD4-HVB3YP"}),
            400,
            "org.code_mistyped",
        )
        tallies = self.county.api.get("/activation-progress", place=LIWAN)["tallies"]
        assert any(tally["role"] == "COUNTY_ADMIN" and tally["activated"] == 1 for tally in tallies), tallies
        refused(lambda: self.county.api.get("/activation-progress", place=YUEXIU), 404)

    def second_super_admin(self, place: str) -> Somebody:
        """An installation that was told this story before has one: the operator puts another beside them."""
        who = self.somebody()
        wanted = {"account_id": who.account_id, "role": "SUPER_ADMIN", "place": place}
        refused(lambda: self.operator.post("/grants", wanted), 409, "org.second_person_needed")
        proposed = self.operator.post("/grant-proposals", wanted)
        approval = f"/grant-proposals/{proposed['proposal_id']}/approval"
        refused(lambda: self.operator.post(approval, {}), 403, "org.two_persons")
        self.second_operator.post(approval, {})
        return self.at_desk(who, "SUPER_ADMIN")

    def ask_for_a_missing_school(self) -> None:
        """A teacher waits in 其他, asks for her school, and is verified there."""
        teacher = self.teacher = self.somebody()
        teacher.api.post("/memberships", {"other_of": "440103"})
        wanted = {"name": f"新河浦小学{self.series}", "school_type": "PRIMARY", "town": "西村街道"}
        asked = teacher.api.post("/school-requests", wanted)
        waiting = self.county.api.get("/school-requests", division="440103", limit=200)["items"]
        assert asked["request_id"] in {request["request_id"] for request in waiting}
        refused(lambda: self.other_county.api.get("/school-requests", division="440103"), 404)
        self.school = self.create_school(self.county, "440103", wanted["name"])
        path = f"/school-requests/{asked['request_id']}/answer"
        answered = self.county.api.post(path, {"school_id": self.school["school_id"]})
        assert answered["school_id"] == self.school["school_id"]
        teacher.api.post("/memberships", {"school_id": self.school["school_id"]})
        self.school_admin = self.by_code(self.county.api, "SCHOOL_ADMIN", self.school["place"])
        reviews = self.school_admin.api.get("/reviews", school_id=self.school["school_id"])["items"]
        assert [review["teacher_id"] for review in reviews] == [teacher.account_id]
        assert teacher.person.phone not in str(reviews)
        assert teacher.person.id_no not in str(reviews)
        outcome = self.school_admin.api.post("/reviews/verification", {"teacher_ids": [teacher.account_id]})["rows"]
        assert [row["outcome"] for row in outcome] == ["DONE"], outcome
        assert teacher.api.get("/memberships/me")["state"] == "VERIFIED"
        until(lambda: teacher.api.get("/profiles/me")["learner_no"], "a learner number")
        self.learner_no = teacher.api.get("/profiles/me")["learner_no"]

    def review_and_correct_profiles(self) -> None:
        """Once verified, the name is locked; an ID with a wrong check digit never passes."""
        refused(lambda: self.teacher.api.patch("/profiles/me", {"name": "另一个名字"}), 409, "identity.profile_locked")
        newcomer = self.somebody()
        wrong = newcomer.person.id_no[:-1] + ("0" if newcomer.person.id_no[-1] != "0" else "1")
        refused(
            lambda: newcomer.api.patch("/profiles/me", {"id_type": "RESIDENT_ID", "id_no": wrong}),
            400,
            "identity.id_no_check_digit",
        )
        lower = newcomer.person.id_no.lower()
        newcomer.api.patch("/profiles/me", {"id_type": "RESIDENT_ID", "id_no": lower})

    def add_a_teacher(self) -> None:
        """The school adds a colleague, who gets a learner number at once and signs in by SMS code."""
        self._people += 1
        self.colleague_person = people.invent(self.series, self._people)
        row = {
            "name": self.colleague_person.name,
            "phone": self.colleague_person.phone,
            "id_type": "RESIDENT_ID",
            "id_no": self.colleague_person.id_no,
            "segment": "小学",
            "subject": "语文",
        }
        added = self.school_admin.api.post(f"/schools/{self.school['school_id']}/teachers", row)
        colleague = Api(self.address)
        colleague.sign_in(self.colleague_person.phone)
        assert colleague.account_id == added["account_id"], added
        until(lambda: colleague.get("/profiles/me")["learner_no"], "a learner number")
        self.colleague = colleague

    def archive_and_restore(self) -> None:
        """Who retired is out of the lists and comes back unchanged."""
        listed = self.teachers_listed()
        assert self.teacher.account_id in listed
        path = f"/teachers/{self.teacher.account_id}"
        self.school_admin.api.post(f"{path}/archival", {"status": "RETIRED", "reason": "已办理退休手续"})
        assert self.teacher.account_id not in self.teachers_listed()
        refused(lambda: self.county.api.post(f"{path}/restoration", {"reason": "县里恢复"}), 403)
        self.school_admin.api.post(f"{path}/restoration", {"reason": "返聘"})
        assert self.teacher.account_id in self.teachers_listed()

    def transfer_across_counties(self) -> None:
        """The receiving school asks, the city decides; a hold stands in the way until it is lifted."""
        target = self.create_school(self.other_county, "440104", f"东山实验小学{self.series}")
        receiver = self.by_code(self.other_county.api, "SCHOOL_ADMIN", target["place"])
        asked = {"learner_no": self.learner_no, "school_id": target["school_id"]}
        centre = self.granted(self.city, "CITY_CENTRE", CITY)
        hold = centre.api.post("/holds", {"learner_no": self.learner_no, "kind": "SPECIAL_USER", "reason": "未缴费"})
        refused(lambda: receiver.api.post("/transfers", asked), 409, "org.transfer_special_user")
        centre.api.post(f"/holds/{hold['hold_id']}/lifting", {"evidence": ["ID_DOCUMENT"], "reason": "已缴费"})
        transfer = receiver.api.post("/transfers", asked)
        assert transfer["level"] == "CITY", transfer
        path = f"/transfers/{transfer['transfer_id']}"
        refused(lambda: self.other_county.api.post(f"{path}/approval"), 404)
        refused(lambda: receiver.api.post(f"{path}/approval"), 403)
        self.city_admin.api.post(f"{path}/approval")
        moved = self.teacher.api.get("/memberships/me")
        assert (moved["school_id"], moved["state"]) == (target["school_id"], "VERIFIED"), moved
        # The former school keeps the history of its own time, and no more.
        kept = self.school_admin.api.get(f"/memberships/{self.teacher.account_id}/periods")["items"]
        assert {period["school_id"] for period in kept} == {self.school["school_id"]}, kept
        assert self.teacher.account_id not in self.teachers_listed()
        periods = self.teacher.api.get("/memberships/me/periods")["items"]
        assert len(periods) >= 3, periods
        self.target, self.receiver = target, receiver

    def move_a_school(self) -> None:
        """A county asks, the city executes; the school's people follow with their administrator."""
        wanted = {"school_id": self.target["school_id"], "division_code": "440103", "reason": "区划调整"}
        move = self.other_county.api.post("/school-moves", wanted)
        refused(
            lambda: self.other_county.api.post(f"/school-moves/{move['move_id']}/execution", {"reason": "同意"}), 403
        )
        self.city_admin.api.post(f"/school-moves/{move['move_id']}/execution", {"reason": "同意"})
        moved = self.operator.get(f"/schools/{self.target['school_id']}")
        assert moved["place"].startswith(LIWAN + "/"), moved
        assert self.teacher.api.get("/memberships/me")["school_id"] == self.target["school_id"]
        refused(lambda: self.other_county.api.get("/teachers", place=moved["place"]), 404)
        until(
            lambda: self.teacher.account_id in self.teachers_of(self.county.api, moved["place"]), "the new county sees"
        )

    def change_a_phone(self) -> None:
        """By the old phone; every other sign-in ends."""
        self._people += 1
        new_phone = people.invent(self.series, self._people).phone
        elsewhere = Api(self.address)
        elsewhere.sign_in(self.teacher.person.phone, self.teacher.password)
        api = self.teacher.api
        change = api.post("/phone-changes")
        path = f"/phone-changes/{change['change_id']}"
        api.post(f"{path}/old-proof", {"sms_code": api._newest_code(self.teacher.person.phone)})
        api.post(f"{path}/new-phone", {"new_phone": new_phone})
        api.post(f"{path}/completion", {"sms_code": api._newest_code(new_phone)})
        until(lambda: status(elsewhere, "/accounts/me") == 401, "the other sign-in ended", seconds=WITHIN_A_SECOND + 2)
        again = Api(self.address)
        again.sign_in(new_phone, self.teacher.password)
        assert again.account_id == self.teacher.account_id
        refused(lambda: Api(self.address).sign_in(self.teacher.person.phone, self.teacher.password), 401)
        self.teacher = Somebody(dataclasses.replace(self.teacher.person, phone=new_phone), self.teacher.password, again)

    def help_who_forgot_the_password(self) -> None:
        """The school resets it: a one-time password that has to be changed."""
        path = f"/accounts/{self.teacher.account_id}/password-reset"
        refused(lambda: self.school_admin.api.post(path), 404)  # no longer her school
        reset = self.receiver.api.post(path)
        phone, chosen = self.teacher.person.phone, "Changed-after-reset-1"
        once = {"phone": phone, "password": reset["one_time_password"]}
        refused(lambda: Api(self.address).post("/sessions", once), 409, "identity.password_must_change")
        Api(self.address).post("/sessions", {**once, "new_password": chosen})
        refused(lambda: Api(self.address).post("/sessions", once), 401)
        again = Api(self.address)
        again.sign_in(phone, chosen)
        refused(lambda: Api(self.address).sign_in(self.teacher.person.phone, self.teacher.password), 401)
        self.teacher = Somebody(self.teacher.person, chosen, again)

    def export_with_step_up(self) -> None:
        """No list leaves without a fresh code, a reason and a trace."""
        wanted = {"kind": "export_teachers", "place": LIWAN, "reason": "年度验证核对名册"}
        refused(lambda: self.county.api.post("/exports/org", wanted), 403, "shared.step_up_needed")
        self.county.api.step_up()
        refused(lambda: self.county.api.post("/exports/org", {**wanted, "reason": ""}), 400)
        refused(lambda: self.county.api.post("/exports/org", {**wanted, "place": YUEXIU}), 404)
        job = self.county.api.post("/exports/org", wanted)
        path = f"/jobs/org/{job['job_id']}"
        until(lambda: self.county.api.get(path)["state"] == "DONE", "the export made")
        opened = self.county.api.post(f"{path}/downloads")
        answer = self.county.api.send("GET", f"{path}/file", params={"token": opened["token"]})
        assert answer.content[:2] == b"PK"
        assert self.teacher.person.id_no.encode() not in answer.content
        refused(lambda: self.city_admin.api.send("GET", f"{path}/file", params={"token": opened["token"]}), 404)

    def take_a_right_away(self) -> None:
        """A revoked grant is gone within a second, at every door."""
        grants = self.county.api.get("/grants", place=self.target_place(), limit=200)["items"]
        grant = next(g for g in grants if g["role"] == "SCHOOL_ADMIN" and g["account_id"] == self.receiver.account_id)
        self.receiver.api.get("/teachers", place=self.target_place())
        self.county.api.send("DELETE", f"/grants/{grant['grant_id']}")
        began = time.monotonic()
        until(lambda: status(self.receiver.api, "/teachers", place=self.target_place()) != 200, "the right gone")
        assert time.monotonic() - began < WITHIN_A_SECOND + 1

    # --- parts ------------------------------------------------------------------------------------------------------------

    def create_school(self, keeper: Somebody, division: str, name: str) -> dict[str, Any]:
        made: dict[str, Any] = keeper.api.post(
            "/schools",
            {
                "division_code": division,
                "name": name,
                "school_type": "PRIMARY",
                "seal_name": name,
                "town": "西村街道",
                "nature": "PUBLIC",
                "head_name": "赵玉兰",
                "head_mobile": "13900000001",
            },
        )
        return made

    def granted(self, giver: Somebody, role: str, place: str) -> Somebody:
        who = self.somebody()
        until(
            lambda: giver.api.post("/grants", {"account_id": who.account_id, "role": role, "place": place}),
            "a grant",
            404,
        )
        return self.at_desk(who, role)

    def teachers_listed(self) -> set[str]:
        return self.teachers_of(self.school_admin.api, self.school["place"])

    def teachers_of(self, api: Api, place: str) -> set[str]:
        return {item["teacher_id"] for item in api.get("/teachers", place=place, limit=200)["items"]}

    def target_place(self) -> str:
        return str(self.operator.get(f"/schools/{self.target['school_id']}")["place"])


def until(ask: Callable[[], Any], what: str, waits_for: int = 0, seconds: float = SETTLE_SECONDS) -> Any:
    """Ask until it is so: events take their time. `waits_for` is a refusal that may pass."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if found := ask():
                return found
        except ProblemError as problem:
            if problem.status != waits_for or time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)


def refused(ask: Callable[[], Any], wanted: int, code: str = "") -> None:
    """Assert that it is refused so; unknown and forbidden look alike."""
    told, found = "", None
    try:
        found = ask()
    except ProblemError as problem:
        told = str(problem)
    assert told, f"was allowed: {found}"
    assert told.startswith(f"{wanted} {code}".rstrip()), told


def status(api: Api, path: str, **query: Any) -> int:
    """What one plain request answers: no refresh, no waiting."""
    return api.http.get(f"{api.address}/api/v1{path}", params=query, timeout=30).status_code


def operator_at_desk(address: str, phone: str, password: str) -> Api:
    """The national operator of a new installation, who sets a password at the first sign-in."""
    api = Api(address)
    api.sign_in(phone)
    api.post("/accounts/me/password", {"password": password})
    api.sign_in(phone, password, ADMINISTRATOR)
    return api
