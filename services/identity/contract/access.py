"""Signing in: captcha, second factor, desks, step-up, sessions, limits, resets by administrators."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema

DESKS: Final = ("TEACHER", "ADMINISTRATOR")
METHODS: Final = ("REGISTRATION", "PASSWORD", "SMS_CODE", "PASS")

EVENTS: Final[dict[str, type[Schema]]] = {}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "identity.awaiting_approval": (
        "您所在地区须经学校审核后方可使用；请先选择学校并等待审核。",
        "In your region the school has to approve you first: choose your school and wait for its decision.",
    ),
    "identity.captcha_needed": (
        "请先完成人机验证。",
        "Solve a captcha first: take one from /captchas and send its solution.",
    ),
    "identity.captcha_refused": (
        "人机验证无效、已过期或已使用，请重新验证。",
        "The captcha's solution is wrong, too old or already used. Take a new one.",
    ),
    "identity.login_form": (
        "请输入手机号、继续教育学号或 18 位身份证号。",
        "Enter a mobile number, a learner number or an 18-character resident ID.",
    ),
    "identity.one_login": (
        "请提供手机号或登录账号，二者之一。",
        "Give either the phone or the login.",
    ),
    "identity.code_by_phone": (
        "短信验证码登录请使用手机号。",
        "To sign in by SMS code give the phone.",
    ),
    "identity.two_secrets": (
        "登录管理端须同时提供密码和短信验证码。",
        "The administrator's desk needs the password and an SMS code together.",
    ),
    "identity.no_desk": (
        "该账号没有管理权限。",
        "This account holds no administrator's rights.",
    ),
    "identity.name_missing": (
        "管理员须实名：请先在个人信息中填写真实姓名。",
        "Administrators act under their true name: fill it in under your profile first.",
    ),
    "identity.desk_refused": (
        "密码或短信验证码不正确，或账号已被锁定。",
        "Password or SMS code is wrong, or the account is locked.",
    ),
    "identity.password_missing": (
        "请先设置密码，再进入管理端。",
        "Set a password first: the administrator's desk needs one.",
    ),
    "identity.password_must_change": (
        "这是管理员重置的一次性密码，请在登录时设置新密码。",
        "This one-time password was given out by an administrator: send a new one of your own with it.",
    ),
    "identity.password_same": (
        "新密码不能与一次性密码相同。",
        "The new password must differ from the one-time one.",
    ),
    "identity.password_by_administrator": (
        "管理员账号不能仅凭短信重设密码：请使用原密码，或由上级管理员重置。",
        "An administrator's password cannot be replaced by SMS alone: use the present one, or have it reset from above.",
    ),
    "identity.session_unknown": (
        "没有这个登录设备。",
        "There is no such sign-in.",
    ),
}
