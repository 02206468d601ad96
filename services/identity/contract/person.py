"""The person’s record: learner number, reviews and corrections, merging, erasure."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

LEARNER_NO_ISSUED: Final = "identity.learner_no_issued"
PERSONS_MERGED: Final = "identity.persons_merged"
MERGE_UNDONE: Final = "identity.merge_undone"
PERSON_ERASED: Final = "identity.person_erased"
IDENTITY_CORRECTED: Final = "identity.identity_corrected"
REVIEW_MOVED: Final = "identity.profile_review_moved"

# Value sets (`domain.md` §2.1, §3.2); the meaning of each is in `rules/`.
PROFILE_STATES: Final = ("EDITABLE", "SUBMITTED", "CONFIRMED")
TITLES: Final = ("NONE", "THIRD_GRADE", "SECOND_GRADE", "FIRST_GRADE", "SENIOR", "FULL_SENIOR", "OTHER")
POST_CATEGORIES: Final = ("TEACHER", "OTHER_PROFESSIONAL", "MANAGEMENT", "WORKER")
ETHNICITIES: Final = (*(f"{number:02d}" for number in range(1, 57)), "97", "98")  # GB/T 3304
DECISIONS_AT_ONCE: Final = 100
MERGE_STATES: Final = ("PROPOSED", "MERGED", "REJECTED", "WITHDRAWN", "UNDONE", "SETTLED")
MERGE_SIDES: Final = ("KEPT", "MERGED")
MERGE_PROOFS: Final = ("ORIGINAL", "VIDEO", "COPY")  # the document itself, shown in a video call, a copy of it
CONSENT_KINDS: Final = ("TERMS", "PRIVACY", "SENSITIVE")
SIGNS_OF_ONE_PERSON: Final = ("NAME_AND_BIRTH_DATE", "FORMER_ID_NO")

# 12 digits and a check digit (ISO 7064 MOD 11,10): neither a phone (11) nor a resident ID (18).
LEARNER_NO_FORM: Final = r"[1-9][0-9]{12}"


def _version() -> fields.Integer:
    return fields.Integer(required=True, strict=True, validate=validate.Range(min=1))


class LearnerNoIssued(Schema):
    """An account has its learner number 继续教育学号: told once per account, it never changes.

    When its person is merged into another (`PERSONS_MERGED`), the number goes on meaning that person: it then leads to
    the kept account.
    """

    account_id = fields.UUID(required=True)
    version = _version()
    learner_no = fields.String(required=True, validate=validate.Regexp(rf"\A{LEARNER_NO_FORM}\Z"))


class PersonsMerged(Schema):
    """Two accounts are one person: what `merged_id` was and did counts for `kept_id` from now on.

    `version` is that of the merged account: the newest of PERSONS_MERGED and MERGE_UNDONE of one `merged_id` holds.
    A kept account is never itself merged away while others are merged into it: there are no chains to follow.
    """

    kept_id = fields.UUID(required=True)
    merged_id = fields.UUID(required=True)
    version = _version()


class MergeUndone(Schema):
    """The merge was wrong: `merged_id` stands for itself again, as before."""

    kept_id = fields.UUID(required=True)
    merged_id = fields.UUID(required=True)
    version = _version()


class IdentityCorrected(Schema):
    """A name or ID number that was known has been replaced: whoever prints it asks again (`get_holders`)."""

    account_id = fields.UUID(required=True)
    version = _version()
    fields_changed = fields.List(fields.String(validate=validate.OneOf(("name", "id_no"))), required=True)


class ReviewMoved(Schema):
    """Where the review of a teacher's profile stands now (`domain.md` §3.2)."""

    account_id = fields.UUID(required=True)
    version = _version()
    state = fields.String(required=True, validate=validate.OneOf(PROFILE_STATES))


class PersonErased(Schema):
    """The account is closed and nothing names its person any more. Ledgers stay, under the id that now leads nowhere."""

    account_id = fields.UUID(required=True)
    version = _version()


EVENTS: Final[dict[str, type[Schema]]] = {
    LEARNER_NO_ISSUED: LearnerNoIssued,
    PERSONS_MERGED: PersonsMerged,
    MERGE_UNDONE: MergeUndone,
    PERSON_ERASED: PersonErased,
    IDENTITY_CORRECTED: IdentityCorrected,
    REVIEW_MOVED: ReviewMoved,
}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "identity.profile_submitted": (
        "个人信息正在审核中，审核结束前不可修改。",
        "The profile is being reviewed and does not change until the school has decided.",
    ),
    "identity.profile_confirmed": (
        "个人信息已审核确认，修改前请联系学校管理员“重新更新”。",
        "The school has confirmed this profile: ask its administrator to reopen it first.",
    ),
    "identity.nothing_to_submit": (
        "当前没有需要提交审核的个人信息。",
        "There is nothing to submit: the profile is under review or confirmed.",
    ),
    "identity.review_needs_school": (
        "学校认证后，修改个人信息才需要提交审核。",
        "Only the profile of a teacher whom a school has verified is submitted for review.",
    ),
    "identity.profile_incomplete": ("请先补全必填的个人信息。", "Fill in the mandatory fields first."),
    "identity.not_submitted": ("该教师没有待审核的个人信息。", "This teacher has submitted nothing for review."),
    "identity.not_confirmed": ("该教师的个人信息当前无需重新开放。", "This profile is open already."),
    "identity.review_stale": (
        "该教师已重新提交，请刷新后再审核。",
        "The teacher has submitted again: look at the new version first.",
    ),
    "identity.review_unused": (
        "本地区不使用信息审核；修改姓名或证件须先由学校移出。",
        "Profiles are not reviewed here: to correct a name or ID number the school releases the teacher.",
    ),
    "identity.not_yourself": ("不能审核自己。", "Nobody decides about himself."),
    "identity.person_known": (
        "该手机号或证件号已有账号。如教师已有继续教育学号，请使用“教师调动”。",
        "This phone or ID number has an account. A teacher who has a learner number comes by transfer.",
    ),
    "identity.add_limit": ("新增教师失败次数过多，请明天再试。", "Too many teachers were refused. Try again tomorrow."),
    "identity.one_search": (
        "请按手机号、证件号、学号、姓名之一查询。",
        "Look for one thing: a phone, an ID number, a learner number or a name.",
    ),
    "identity.learner_no_form": ("继续教育学号格式不正确。", "This is not a learner number."),
    "identity.place_unknown": ("没有这个区域或学校。", "There is no such region or school."),
    "identity.merge_unknown": ("没有这项合并。", "There is no such merge."),
    "identity.merge_same": ("请选择两个不同的账号。", "Choose two different accounts."),
    "identity.merge_open": (
        "其中一个账号已有正在处理或可撤销的合并。",
        "One of these accounts takes part in a merge that is open, or may still be undone.",
    ),
    "identity.merge_decided": ("该合并已经处理。", "This merge has been decided already."),
    "identity.merge_undo_over": ("该合并未生效或已超过可撤销期限。", "This merge cannot be undone, or no longer."),
    "identity.merge_undo_taken": (
        "原手机号或证件号已被其他账号使用，无法撤销。",
        "The former phone or ID number belongs to another account by now.",
    ),
    "identity.merge_not_living": ("只能合并正常使用的账号。", "Only living accounts can be merged."),
    "identity.merge_chain": (
        "已有账号并入该账号，请以它作为保留账号。",
        "Others have been merged into this account: keep it, and merge the other one into it.",
    ),
    "identity.merge_holds_grants": (
        "被合并账号持有管理权限，请先撤销其权限。",
        "The account that would go holds grants: they have to end first.",
    ),
    "identity.merge_names_differ": ("两个账号的姓名不一致。", "The names of the two accounts differ."),
    "identity.merge_proof": (
        "核验的证件与所保留的证件不一致。",
        "The document that was shown is not the one that the person goes on with.",
    ),
    "identity.merge_two_persons": (
        "合并须由另一名工作人员核准，且不得涉及本人账号。",
        "Another one of support approves, and nobody deals with his own account.",
    ),
    "identity.erasure_holds_grants": (
        "您仍持有管理权限，请先交还后再注销账号。",
        "You still hold an office: give it back before you close the account.",
    ),
    "identity.erasure_phone_ticket": (
        "换绑手机的申请处理完毕后才能注销账号。",
        "A request to change the phone is open: the account can be closed when it is over.",
    ),
    "identity.erasure_requested": (
        "已申请注销，冷静期内可撤回。",
        "You have asked for it already, and may still withdraw.",
    ),
    "identity.erasure_not_requested": ("没有可撤回的注销申请。", "There is nothing to withdraw."),
    "identity.consent_needed": (
        "请先阅读并同意敏感个人信息处理说明。",
        "First read and agree to the text about sensitive personal information.",
    ),
    "identity.consent_outdated": (
        "条款已更新，请阅读最新版本。",
        "The text has a newer version: read that one.",
    ),
    "identity.birth_date_form": ("出生日期无效。", "The birth date is not a day that can be right."),
    "identity.birth_date_differs": (
        "出生日期与身份证号不一致。",
        "The birth date is not the one in the ID number.",
    ),
    "identity.ethnicity_unknown": ("民族无法识别。", "The ethnicity is not one of the known ones."),
    "identity.employed_since_form": ("参加工作日期无效。", "The first day of work is not a day that can be right."),
    "identity.email_form": ("电子邮箱格式不正确。", "This is not an address of mail."),
}
