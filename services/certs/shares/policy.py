"""Who shares: the holder; who opens: whoever has the link."""

from __future__ import annotations

from services.shared.policy import Policy, anyone, own

_LINK = "who has the link was given it by the holder; the row is found by the hash of its token and by nothing else"

POLICIES: dict[str, Policy] = {
    "share_certificate": own(),
    "list_shares": own(),
    "revoke_share": own(),
    "open_share": anyone().seeing_everything(_LINK),
}
RENDER_POLICIES: dict[str, Policy] = {"render_shared": anyone().seeing_everything(_LINK)}
