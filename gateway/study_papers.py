"""Play tokens and receipts at the edge: learning's signature is checked once per token, and receipts are sealed here.

A signature costs a fifth of a millisecond to check, and a client shows one token with every report for ten minutes. A
receipt is read by gateways only, which hold its key anyway: an HMAC proves as much as a signature, at a twentieth of it.

So does a *voucher*, which the gateway adds to a play token when it hands it out: "signed by learning, and asked for with
this access token, which I checked". Any gateway process then takes a report without checking a signature, whether or not
it has met the teacher before; expiry and revocation are looked at every time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import hmac
import json
import threading
import uuid

from cachetools import TTLCache
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.auth import SignIn
from services.learning.contract import tokens
from services.learning.contract.tokens import PLAY_TOKEN_LIFETIME, PlayToken, Receipt
from services.shared.actor import Desk
from services.shared.errors import NotAllowed
from services.shared.keys import KeyRing

REMEMBERED_PAPERS = 50_000
SEAL_BYTES = hashlib.sha256().digest_size
# Receipts are sealed with the same secret; none of them begins like this.
_VOUCHER = b"play token\n"


@dataclasses.dataclass(frozen=True)
class Paper:
    """A play token that is learning's, and the sign-in that it was handed out to, if a gateway vouches for one."""

    token: PlayToken
    sign_in: SignIn | None = None
    access_digest: bytes = b""

    def sign_in_of(self, access_token: str) -> SignIn | None:
        """The sign-in of that very access token. Whether it has ended since is not in the paper."""
        return self.sign_in if self.access_digest == digest_of(access_token) else None


def digest_of(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


class StudyPapers:
    """Reads and signs with keys that are loaded once. Whether a token has expired is looked at on every request."""

    def __init__(self, keyring: KeyRing) -> None:
        self._token_key = keyring.verify_key("play-token")
        self._receipt_key = keyring.verify_key("receipt")
        self._receipt_secret = keyring.secret("receipt")
        self._known: TTLCache[bytes, Paper] = TTLCache(REMEMBERED_PAPERS, PLAY_TOKEN_LIFETIME.total_seconds())
        self._lock = threading.Lock()

    def vouch(self, play_token: str, access_token: str, sign_in: SignIn) -> str:
        """The play token, with our word that its teacher asked for it with this access token, which was checked."""
        claims = {
            "acc": tokens.to_text(digest_of(access_token)),
            "sid": str(sign_in.session_id),
            "iat": sign_in.issued_at.timestamp(),
            "exp": sign_in.expires_at.timestamp(),
        }
        vouched = f"{play_token}.{tokens.to_text(json.dumps(claims).encode())}"
        return f"{vouched}.{tokens.to_text(self._seal(_VOUCHER + vouched.encode()))}"

    def read_token(self, text: str) -> PlayToken:
        """Raises NotAllowed("learning.play_token_invalid")."""
        return self.read_paper(text).token

    def read_paper(self, text: str) -> Paper:
        """Whether or not it has expired. Raises NotAllowed("learning.play_token_invalid")."""
        digest = digest_of(text)
        with self._lock:
            paper = self._known.get(digest)
        if paper is None:
            paper = self._read(text)
            with self._lock:
                self._known[digest] = paper
        return paper

    def _read(self, text: str) -> Paper:
        if text.count(".") != 3:
            return Paper(tokens.read_play_token(text, self._is_by(self._token_key)))
        vouched, _, seal = text.rpartition(".")
        play_token, _, voucher = vouched.rpartition(".")
        try:
            if not hmac.compare_digest(tokens.to_bytes(seal), self._seal(_VOUCHER + vouched.encode())):
                raise ValueError("seal")
            claims = json.loads(tokens.to_bytes(voucher))
        except ValueError:
            raise NotAllowed("learning.play_token_invalid", "play_token") from None
        # Whoever vouched had the token from learning itself.
        token = tokens.read_play_token(play_token, lambda _signature, _body: True)
        return Paper(token, _sign_in(token.teacher_id, claims), tokens.to_bytes(claims["acc"]))

    def read_receipt(self, text: str) -> Receipt:
        """Raises InvalidInput("learning.receipt_invalid")."""
        return tokens.read_receipt(text, self._is_sealed)

    def mint_receipt(self, receipt: Receipt) -> str:
        return tokens.mint_receipt(receipt, self._seal)

    def _seal(self, body: bytes) -> bytes:
        return hmac.digest(self._receipt_secret, body, "sha256")

    def _is_sealed(self, seal: bytes, body: bytes) -> bool:
        if len(seal) == SEAL_BYTES:
            return hmac.compare_digest(seal, self._seal(body))
        # A gateway of the version before signed receipts; clients keep theirs until the report is durable.
        return self._is_by(self._receipt_key)(seal, body)

    @staticmethod
    def _is_by(key: Ed25519PublicKey) -> tokens.IsSigned:
        def is_signed(signature: bytes, body: bytes) -> bool:
            try:
                key.verify(signature, body)
            except InvalidSignature:
                return False
            return True

        return is_signed


def _sign_in(account_id: uuid.UUID, claims: dict[str, str | float]) -> SignIn:
    """As much of the sign-in as a report asks for: whose it is, and whether it still stands."""
    return SignIn(
        account_id=account_id,
        session_id=uuid.UUID(str(claims["sid"])),
        identity="",
        grants=(),
        issued_at=dt.datetime.fromtimestamp(float(claims["iat"]), dt.UTC),
        expires_at=dt.datetime.fromtimestamp(float(claims["exp"]), dt.UTC),
        desk=Desk.TEACHER,
        elevated_until=None,
        waiting=False,
    )
