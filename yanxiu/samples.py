"""Sample rosters: schools and 200 teachers of invented people, ten rows of them faulty, the same for the same edition.

Nobody real can be meant: the ID numbers carry the region 440100, which is a city's code and stands on no identity card,
and every edition has names, numbers and codes of its own, so that editions of one installation do not meet.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import random
from collections.abc import Callable
from pathlib import Path

from services.org.contract.bulk import SCHOOL_COLUMNS, TEACHER_COLUMNS
from services.shared.bulk.columns import Column
from services.shared.spreadsheet import write_sheet
from yanxiu.journey.people import CHECK_CHARACTERS, complete_id_no

SCHOOLS = 12
TEACHERS = 200
DIVISION = "440103"  # 荔湾区, Guangzhou, where the demo's county administrator sits
CREATED = dt.datetime(2022, 12, 1, tzinfo=dt.UTC)  # printed inside the file: the same edition gives the same bytes

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂兰英华玉红建国文慧玲婷雪梅春秋晨宇浩然思远子涵梓萱嘉怡俊杰"
STREETS = ("西村街道", "南源街道", "彩虹街道", "金花街道", "龙津街道", "昌华街道", "逢源街道", "多宝街道")
# The word in the name, the school-running type (also the segment of its teachers), the kind in the school code.
KINDS_OF_SCHOOL = (
    ("小学", "小学", "21"),
    ("中学", "初中", "31"),
    ("幼儿园", "幼儿园", "11"),
    ("高级中学", "高中", "34"),
)
SUBJECTS = ("语文", "数学", "英语", "音乐", "体育与健康", "美术", "科学", "信息技术", "道德与法治")


@dataclasses.dataclass(frozen=True)
class Fault:
    """One faulty row: where, and what the import must say of it."""

    row: int
    code: str
    field: str


@dataclasses.dataclass(frozen=True)
class Roster:
    """Rows by column key, as they go into the sheet, and the faults put into them."""

    rows: list[dict[str, str]]
    faults: list[Fault]


def schools_xlsx(edition: int) -> bytes:
    """A workbook of invented schools of the demo's county."""
    return _workbook(SCHOOL_COLUMNS, schools(edition))


def teachers_xlsx(edition: int) -> bytes:
    """A workbook of 200 invented teachers of these schools; `teachers(edition).faults` tells the ten faulty rows."""
    return _workbook(TEACHER_COLUMNS, teachers(edition).rows)


def write_samples(folder: Path, edition: int) -> list[Path]:
    """Write both workbooks into a folder; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / "schools.xlsx": schools_xlsx(edition), folder / "teachers.xlsx": teachers_xlsx(edition)}
    for path, content in files.items():
        path.write_bytes(content)
    return list(files)


def schools(edition: int) -> list[dict[str, str]]:
    """Invented schools by column key."""
    chance = random.Random(f"schools {edition}")  # noqa: S311  repeatable, not secret
    return [_school(edition, number, chance) for number in range(SCHOOLS)]


def teachers(edition: int) -> Roster:
    """200 invented teachers with ten faults, each of another kind and spread over the file."""
    chance = random.Random(f"teachers {edition}")  # noqa: S311
    places = schools(edition)
    rows = [_teacher(edition, number, places[number % SCHOOLS], chance) for number in range(TEACHERS)]
    positions = sorted(chance.sample(range(10, TEACHERS), len(FAULTS)))
    faults = []
    for position, (spoil, code, field) in zip(positions, FAULTS, strict=True):
        spoil(rows[position], rows[0])
        faults.append(Fault(position + 2, code, field))  # row 1 is the header
    return Roster(rows, faults)


def _school(edition: int, number: int, chance: random.Random) -> dict[str, str]:
    word, type_, code_kind = KINDS_OF_SCHOOL[number % len(KINDS_OF_SCHOOL)]
    street = STREETS[number % len(STREETS)]
    name = f"荔湾区{street.removesuffix('街道')}第{number + 1}{word}（样例{edition}）"
    return {
        "division_code": DIVISION,
        "name": name,
        "code": f"{code_kind}44{edition % 10_000:04d}{number:02d}",
        "school_type": type_,
        "seal_name": f"广州市{name}",
        "town": street,
        "nature": "民办" if number % 5 == 4 else "公办",
        "head_name": _name(chance),
        "head_mobile": f"197{edition % 10_000:04d}{9000 + number:04d}",
        "kind": "基础教育学校",
    }


def _teacher(edition: int, number: int, school: dict[str, str], chance: random.Random) -> dict[str, str]:
    segment = school["school_type"]
    return {
        "name": _name(chance),
        "id_type": "居民身份证",
        "id_no": _id_no(edition, number),
        "phone": f"197{edition % 10_000:04d}{number:04d}",
        "segment": segment,
        "subject": "幼教" if segment == "幼儿园" else chance.choice(SUBJECTS),
        "school_code": school["code"],
    }


def _name(chance: random.Random) -> str:
    return chance.choice(SURNAMES) + "".join(chance.sample(GIVEN, chance.choice((1, 2, 2))))


def _id_no(edition: int, number: int) -> str:
    """A number with a valid check character; edition and number give the birth date and the sequence, so none repeats."""
    serial = edition * TEACHERS + number
    birth_date = dt.date(1963, 1, 1) + dt.timedelta(days=serial // 999 % 12_000)
    return complete_id_no(f"440100{birth_date:%Y%m%d}{serial % 999 + 1:03d}")


def _workbook(columns: tuple[Column, ...], rows: list[dict[str, str]]) -> bytes:
    buffer = io.BytesIO()
    titles = [column.title for column in columns]
    write_sheet(buffer, titles, ([row.get(column.key, "") for column in columns] for row in rows), created=CREATED)
    return buffer.getvalue()


# --- ways to get a row wrong ----------------------------------------------------------------------------------------


def _set(key: str, value: str) -> Callable[[dict[str, str], dict[str, str]], None]:
    return lambda row, _first: row.update({key: value})


def _copy(key: str) -> Callable[[dict[str, str], dict[str, str]], None]:
    return lambda row, first: row.update({key: first[key]})


def _break_check_character(row: dict[str, str], _first: dict[str, str]) -> None:
    position = CHECK_CHARACTERS.index(row["id_no"][-1])
    row["id_no"] = row["id_no"][:-1] + CHECK_CHARACTERS[(position + 1) % 11]


def _write_old_number(row: dict[str, str], _first: dict[str, str]) -> None:
    row["id_no"] = row["id_no"][:6] + row["id_no"][8:17]


def _break_birth_date(row: dict[str, str], _first: dict[str, str]) -> None:
    row["id_no"] = complete_id_no(row["id_no"][:10] + "0231" + row["id_no"][14:17])


# (how to spoil a row, the code of the refusal, its field)
FAULTS: tuple[tuple[Callable[[dict[str, str], dict[str, str]], None], str, str], ...] = (
    (_break_check_character, "identity.id_no_check_digit", "id_no"),
    (_write_old_number, "identity.id_no_fifteen_digits", "id_no"),
    (_break_birth_date, "identity.id_no_birth_date", "id_no"),
    (_set("phone", "1390000"), "identity.phone_form", "phone"),
    (_set("phone", ""), "shared.value_missing", "phone"),
    (_set("name", ""), "shared.value_missing", "name"),
    (_set("segment", "大学"), "identity.segment_unknown", "segment"),
    (_set("school_code", "2144999999"), "org.school_unknown", "school_code"),
    (_copy("id_no"), "shared.duplicate_row", "id_no"),
    (_copy("phone"), "shared.duplicate_row", "phone"),
)
