"""Invented people: names, phones and resident IDs with a valid check digit, the same for the same numbers.

The region 440100 is a city's code, which stands on no identity card, so nobody real can be meant.
"""

from __future__ import annotations

import dataclasses

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN = ("雅琴", "志强", "秀英", "建国", "文静", "海燕", "明辉", "丽华", "思远", "晓梅", "国栋", "春兰", "子涵", "玉珍")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"  # GB 11643-1999


@dataclasses.dataclass(frozen=True)
class Person:
    name: str
    phone: str
    id_no: str

    def profile(self) -> dict[str, str]:
        """What fills in this person's profile completely."""
        return {
            "name": self.name,
            "id_type": "RESIDENT_ID",
            "id_no": self.id_no,
            "segment": "小学",
            "subject": "语文",
        }


def invent(series: int, number: int) -> Person:
    """The `number`-th invented person of a series (one series per run, so that runs do not meet)."""
    year, month, day = 1970 + number % 25, 1 + (series + number) % 12, 1 + (series * 7 + number) % 28
    first_17 = f"440100{year}{month:02d}{day:02d}{(series * 31 + number) % 1000:03d}"
    name = SURNAMES[(series + number) % len(SURNAMES)] + GIVEN[(series + number * 3) % len(GIVEN)]
    # 199 0000 0000 and on: a prefix in use, numbers of a pattern that stands out in any log.
    return Person(name, f"199{series % 10000:04d}{number % 10000:04d}", complete_id_no(first_17))


def complete_id_no(first_17: str) -> str:
    """The ID number that begins so. Reckoned here and not by identity's rule, which these numbers are to try."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, WEIGHTS, strict=True))
    return first_17 + CHECK_CHARACTERS[total % 11]
