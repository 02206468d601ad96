"""Bodies of national passes."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields

from gateway.schemas import Schema, Text
from gateway.schemas.identity import EXAMPLE_ID, EXAMPLE_INSTANT

EXAMPLE_REDIRECT = "https://yanxiu.example/pass-callback"


class PassIssuer(ma.Schema):
    issuer = fields.String(metadata={"example": "smartedu"})
    title_zh = fields.String(metadata={"example": "智教中国"})
    title_en = fields.String(metadata={"example": "National pass"})
    redirect_uris = fields.List(fields.String(), metadata={"example": [EXAMPLE_REDIRECT]})


class PassIssuers(ma.Schema):
    items = fields.List(fields.Nested(PassIssuer))


class NewAuthorisation(Schema):
    issuer = Text(40, required=True, metadata={"example": "smartedu"})
    redirect_uri = Text(
        500, required=True, metadata={"description": "One of the issuer's.", "example": EXAMPLE_REDIRECT}
    )


class Authorisation(ma.Schema):
    authorisation_url = fields.String(metadata={"description": "Send the browser there."})
    client_key = fields.String(
        metadata={"description": "Keep it in this browser: without it the answer is worth nothing."}
    )
    expires_in_seconds = fields.Integer(metadata={"example": 600})


class AuthorisationAnswer(Schema):
    """What came back to the redirect address, with the key that was kept."""

    state = Text(200, required=True)
    code = Text(2000, required=True)
    iss = Text(500, metadata={"description": "RFC 9207; as it came, if it came."})
    client_key = Text(200, required=True)


class BoundPass(ma.Schema):
    pass_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    issuer = fields.String(metadata={"example": "smartedu"})
    bound_at = fields.String(metadata={"example": EXAMPLE_INSTANT})
    used_at = fields.String(allow_none=True, metadata={"description": "Last sign-in by it."})


class BoundPasses(ma.Schema):
    items = fields.List(fields.Nested(BoundPass))
