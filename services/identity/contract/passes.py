"""National passes: signing in through an OpenID Connect issuer, binding, unbinding (`domain.md` §1.1, [S0:81])."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

PASS_BOUND: Final = "identity.pass_bound"  # noqa: S105  a pass, no password
PASS_UNBOUND: Final = "identity.pass_unbound"  # noqa: S105


class PassChanged(Schema):
    """An account has one pass more, or one less. What the issuer calls its holder travels nowhere."""

    account_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    issuer = fields.String(required=True)


EVENTS: Final[dict[str, type[Schema]]] = {PASS_BOUND: PassChanged, PASS_UNBOUND: PassChanged}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "identity.pass_issuer_unknown": ("没有这种通行证。", "There is no such pass."),
    "identity.pass_redirect_unknown": (
        "该回调地址未登记。",
        "This redirect address is not registered for the pass.",
    ),
    "identity.pass_flow_over": (
        "通行证授权已失效，请重新开始。",
        "This authorisation is over, or was begun elsewhere. Start again.",
    ),
    "identity.pass_refused": (
        "通行证平台未确认授权，请重新开始。",
        "The issuer did not confirm the pass. Start again.",
    ),
    "identity.pass_unavailable": (
        "通行证平台暂时无法访问，请稍后再试。",
        "The issuer of the pass does not answer. Try again later.",
    ),
    "identity.pass_unbound": (
        "该通行证尚未绑定账号。请先用手机号登录，再在账号设置中授权绑定。",
        "This pass is not bound to an account yet. Sign in by phone, then bind it in the account's settings.",
    ),
    "identity.pass_taken": ("该通行证已绑定另一个账号。", "This pass is bound to another account."),
    "identity.pass_bound_already": (
        "账号已绑定同一平台的另一张通行证，请先解绑。",
        "The account has another pass of this issuer. Unbind that one first.",
    ),
    "identity.pass_unknown": ("找不到该通行证绑定。", "No such pass."),
    "identity.pass_last_way_in": (
        "账号未设密码且正在申请换绑手机，通行证是唯一的登录方式，不能解绑。",
        "Without a password, and with the phone declared dead, this pass is the last way in.",
    ),
}
