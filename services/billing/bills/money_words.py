"""Amounts of yuan in capital characters (人民币大写), as payment notices have them; pure."""

from __future__ import annotations

from decimal import Decimal

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿")


def in_words(amount: Decimal) -> str:
    """12300.50 is 壹万贰仟叁佰元伍角整. `amount`: 0 or more, two decimals, below a million million."""
    cents = int((amount * 100).to_integral_exact())
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    words = _whole(yuan) + "元" if yuan else ("" if cents else "零元")
    if jiao:
        words += _DIGITS[jiao] + "角"
    elif fen and yuan:
        words += "零"
    return words + (_DIGITS[fen] + "分" if fen else "整")


def _whole(number: int) -> str:
    groups = []
    while number:
        number, group = divmod(number, 10000)
        groups.append(group)
    words = ""
    for height in range(len(groups) - 1, -1, -1):
        group = groups[height]
        if group:
            # A gap between the groups is read: "壹万零伍".
            if words and group < 1000:
                words += "零"
            words += _group(group) + _GROUPS[height]
    return words


def _group(group: int) -> str:
    words, pending = "", False
    for height in range(3, -1, -1):
        digit = group // 10**height % 10
        if digit:
            words += ("零" if pending and words else "") + _DIGITS[digit] + _PLACES[height]
            pending = False
        else:
            pending = True
    return words
