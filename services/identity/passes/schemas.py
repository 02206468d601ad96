"""Arguments about passes."""

from __future__ import annotations

from marshmallow import fields

from services.identity.access.schemas import user_agent
from services.identity.schemas import Arguments, Text


class StartAuthorisation(Arguments):
    issuer = Text(40, required=True)
    redirect_uri = Text(500, required=True)


class CompleteAuthorisation(Arguments):
    """`iss` is RFC 9207's: given, it must be the issuer's own."""

    state = Text(200, required=True)
    client_key = Text(200, required=True)
    code = Text(2000, required=True)
    iss = Text(500)


class CompleteSignIn(CompleteAuthorisation):
    user_agent = user_agent()


class OnePass(Arguments):
    pass_id = fields.UUID(required=True)
