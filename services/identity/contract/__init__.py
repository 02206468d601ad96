"""What other services and the gateway may know of identity: names, value sets, event payloads, error texts."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

from services.identity.contract import access, notices, passes, person, phone

SERVICE: Final = "identity"

# Value sets (`domain.md` §2.1); the meaning of each is in `rules/`.
IDENTITIES: Final = ("TEACHER", "STUDENT", "GUARDIAN")
ID_TYPES: Final = ("RESIDENT_ID", "RESIDENCE_PERMIT", "PASSPORT")
GENDERS: Final = ("0", "1", "2", "9")  # GB/T 2261.1: unknown, male, female, not stated
SEGMENTS: Final = ("KINDERGARTEN", "PRIMARY", "MIDDLE", "HIGH", "VOCATIONAL", "SPECIAL")
# As people and rosters write them (`domain.md` §2.1); taken wherever a segment is.
SEGMENT_NAMES: Final = ("幼儿园", "小学", "初中", "高中", "中职", "特教")
SMS_PURPOSES: Final = ("REGISTER", "SIGN_IN", "RECOVER")  # those that anybody may ask for
IMPORT_OUTCOMES: Final = ("CREATED", "UNCHANGED", "REFUSED")

ACCESS_TOKEN_SECONDS: Final = 600  # architecture.md decision 16
IMPORT_ROWS_AT_ONCE: Final = 500
PEOPLE_AT_ONCE: Final = 200

ACCOUNT_REGISTERED: Final = "identity.account_registered"
PROFILE_CHANGED: Final = "identity.profile_changed"
ACCESS_REVOKED: Final = "identity.access_revoked"


class AccountRegistered(Schema):
    """A person has an account now; `identity` is the one they registered as."""

    account_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    identity = fields.String(required=True, validate=validate.OneOf(IDENTITIES))


class ProfileChanged(Schema):
    """`complete`: the profile suffices to enrol. `named`: it holds a true name (absent in events older than the field).

    No name, number or phone travels in events.
    """

    account_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    complete = fields.Boolean(required=True)
    named = fields.Boolean()
    segment = fields.String(required=True, validate=validate.OneOf(("", *SEGMENTS)))
    subject = fields.String(required=True)


class AccessRevoked(Schema):
    """Access tokens of the account (of one sign-in when `session_id` is given) with `iat` <= `not_before` are void."""

    account_id = fields.UUID(required=True)
    session_id = fields.UUID(required=True, allow_none=True)
    not_before = fields.String(required=True)


EVENTS: Final[dict[str, type[Schema]]] = {
    **access.EVENTS,
    **notices.EVENTS,
    **passes.EVENTS,
    **person.EVENTS,
    **phone.EVENTS,
    ACCOUNT_REGISTERED: AccountRegistered,
    PROFILE_CHANGED: ProfileChanged,
    ACCESS_REVOKED: AccessRevoked,
}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    **access.ERRORS,
    **notices.ERRORS,
    **passes.ERRORS,
    **person.ERRORS,
    **phone.ERRORS,
    "identity.phone_form": ("请输入 11 位中国大陆手机号。", "Enter an 11-digit mainland mobile number."),
    "identity.phone_taken": (
        "该手机号已注册。请用短信验证码登录找回账号，或联系学校管理员。",
        "This phone already has an account. Sign in by SMS code to recover it, or ask your school administrator.",
    ),
    "identity.id_no_taken": (
        "该证件号码已属于另一个账号。请找回原账号，或联系学校管理员。",
        "This ID number already belongs to an account. Recover that account, or ask your school administrator.",
    ),
    "identity.id_no_attempts": (
        "证件号码填写失败次数过多，请明天再试或联系学校管理员。",
        "Too many ID numbers were refused. Try again tomorrow, or ask your school administrator.",
    ),
    "identity.id_no_form": ("证件号码格式不正确。", "The ID number does not have the form of its type."),
    "identity.id_no_fifteen_digits": (
        "15 位旧身份证号不再使用，请填写 18 位号码。",
        "Old 15-digit ID numbers are no longer accepted; enter the 18-character number.",
    ),
    "identity.id_no_region": ("身份证号的地区码无效。", "The region at the start of the ID number does not exist."),
    "identity.id_no_birth_date": (
        "身份证号中的出生日期无效。",
        "The birth date in the ID number is not a real past date.",
    ),
    "identity.id_no_check_digit": (
        "身份证号校验位不正确。",
        "The last character of the ID number does not match the rest.",
    ),
    "identity.id_type_missing": ("请同时填写证件类型和证件号码。", "Give the ID type and the ID number together."),
    "identity.name_form": ("姓名含有不允许的字符。", "The name holds characters that names do not have."),
    "identity.segment_unknown": ("任教学段无法识别。", "The school segment is not one of the known ones."),
    "identity.subject_kindergarten": ("幼儿园学段的学科固定为“幼教”。", "In kindergarten the subject is always 幼教."),
    "identity.subject_form": ("任教学科含有不允许的字符。", "The subject holds characters that subjects do not have."),
    "identity.profile_locked": (
        "学校已审核，姓名和证件不可修改；请先由学校移出。",
        "Your school has verified you: name and ID can change only after it releases you.",
    ),
    "identity.password_length": ("密码长度须为 8 至 64 个字符。", "A password has 8 to 64 characters."),
    "identity.password_simple": (
        "密码过于简单：不要使用手机号、常见密码或单一类型的字符。",
        "The password is too easy to guess: no phone number, no common password, more than one kind of character.",
    ),
    "identity.sms_code_refused": (
        "验证码错误或已失效，请核对或重新获取。",
        "The SMS code is wrong or no longer valid. Check it, or ask for a new one.",
    ),
    "identity.sms_too_soon": ("请在 60 秒后再获取验证码。", "Wait 60 seconds before asking for another SMS code."),
    "identity.sms_limit": ("获取验证码次数过多，请稍后再试。", "Too many SMS codes were asked for. Try again later."),
    "identity.sms_unavailable": (
        "短信暂时无法发送，请稍后再试。",
        "The SMS could not be sent. Try again in a moment.",
    ),
    "identity.email_missing": ("请先填写电子邮箱。", "Fill in the e-mail address first."),
    "identity.email_confirmed": ("该邮箱已验证。", "This e-mail address is confirmed already."),
    "identity.email_too_soon": ("请在 60 秒后再获取邮箱验证码。", "Wait 60 seconds before asking for another code."),
    "identity.email_limit": (
        "今日获取邮箱验证码次数过多，请明天再试。",
        "Too many codes were sent to this address, or asked for, today. Try again tomorrow.",
    ),
    "identity.email_code_refused": (
        "邮箱验证码错误或已失效，或邮箱已更换，请核对或重新获取。",
        "The code is wrong, no longer valid, or was sent to another address. Check it, or ask for a new one.",
    ),
    "identity.email_unavailable": (
        "邮件暂时无法发送，请稍后再试。",
        "The mail could not be sent. Try again in a moment.",
    ),
    "identity.sign_in_refused": (
        "账号、密码或验证码不正确，或账号已被锁定。教师可改用短信验证码登录。",
        "Login, password or SMS code is wrong, or the account is locked. Teachers can sign in by SMS code instead.",
    ),
    "identity.sign_in_limit": ("登录尝试过多，请稍后再试。", "Too many sign-ins were refused. Try again later."),
    "identity.sign_in_again": ("登录已失效，请重新登录。", "This sign-in has ended. Sign in again."),
    "identity.account_unknown": ("该手机号尚未注册。", "This phone has no account yet. Register first."),
    "identity.one_secret": (
        "请提供密码或短信验证码，二者之一。",
        "Give either the password or an SMS code.",
    ),
    "identity.password_wrong": (
        "原密码不正确，或账号已被锁定。",
        "The present password is wrong, or the account is locked.",
    ),
    "identity.proof_missing": (
        "请提供原密码或短信验证码。",
        "Give the present password or an SMS code.",
    ),
    "identity.identity_not_held": (
        "该账号没有此身份，无法切换。",
        "This account does not hold that identity and cannot take it on.",
    ),
    "identity.person_unknown": ("找不到该人员。", "No such person."),
    "identity.not_locked": ("该账号未被锁定。", "This account is not locked."),
    "identity.import_name_differs": (
        "该证件号码已登记，但姓名不一致。",
        "This ID number is already registered under another name.",
    ),
    "identity.import_phone_differs": (
        "该证件号码已登记，但手机号不一致。",
        "This ID number is already registered with another phone.",
    ),
    "identity.import_phone_belongs": (
        "该手机号属于另一证件号码的账号。",
        "This phone belongs to the account of another ID number.",
    ),
    "identity.mailbox_absent": ("没有此页面。", "There is no such page."),
}
