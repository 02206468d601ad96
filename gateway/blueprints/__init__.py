"""One module per service. Each exports `blueprint` (below /api/v1), and may export `pages` (HTML, no prefix).

How to write one: `from gateway.openapi import Blueprint`, `from gateway.rpc import ask, tell`, request bodies from
`gateway.schemas.Schema`. Each operation has `@blueprint.doc(operationId="<the service method's name>")`, a one-line
docstring (its summary), and one call. A route that visitors may use says `@blueprint.doc(security=[])`.
`create_app` finds the modules by itself.
"""
