"""How a sign-in looks in the list of one's own: device and address, told so that they serve to recognise, not to trace."""

from __future__ import annotations

import enum
import ipaddress


class Method(enum.StrEnum):
    """How a sign-in began."""

    REGISTRATION = "REGISTRATION"
    PASSWORD = "PASSWORD"  # noqa: S105
    SMS_CODE = "SMS_CODE"
    PASS = "PASS"  # noqa: S105


# The first that matches: every browser also names those that it is compatible with.
PROGRAMS = (
    ("MicroMessenger", "微信"),
    ("DingTalk", "钉钉"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("python-requests", "python-requests"),
)
SYSTEMS = (
    ("OpenHarmony", "HarmonyOS"),
    ("HarmonyOS", "HarmonyOS"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def device_label(user_agent: str) -> str:
    """`Chrome · Windows`; "" for a client that says nothing known. The full text, half a fingerprint, is not kept."""
    program = next((label for mark, label in PROGRAMS if mark in user_agent), "")
    system = next((label for mark, label in SYSTEMS if mark in user_agent), "")
    return " · ".join(filter(None, (program, system)))


def masked_address(address: str) -> str:
    """`203.0.*.*`, `2001:db8:*`: enough to recognise a network, too little to find a household."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return masked_address(str(parsed.ipv4_mapped))
        groups = parsed.exploded.split(":")
        return f"{groups[0].lstrip('0') or '0'}:{groups[1].lstrip('0') or '0'}:*"
    first, second, *_ = str(parsed).split(".")
    return f"{first}.{second}.*.*"
