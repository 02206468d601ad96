"""`create_app(settings)`: the gateway as a WSGI application. Nothing connects and no thread starts before a request."""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections.abc import Iterable
from types import ModuleType

import flask_smorest
from flask import Flask, Response, request

from gateway import auth, blueprints, caching, errors, intake, observation, openapi, portal, security, study_lane
from gateway.context import EXTENSION, Bus, Gateway, call, gateway
from gateway.documentation import documentation, publish
from gateway.health import health
from gateway.limits import Limiter
from gateway.media import media
from gateway.messages import load_catalogue
from gateway.revocations import Revocations
from gateway.study_papers import StudyPapers
from services.shared.actor import ActorSigner
from services.shared.errors import NotAllowed
from services.shared.keys import KeyRing, open_keyring
from services.shared.settings import Settings

# The embedded mode's demo and tests play hundreds of people from one address.
DEVELOPMENT_LIMIT_SCALE = 1000


def create_app(
    settings: Settings,
    *,
    bus: Bus | None = None,
    keyring: KeyRing | None = None,
    modules: Iterable[ModuleType] | None = None,
    limit_scale: int | None = None,
) -> Flask:
    """The application with every blueprint of `gateway.blueprints` (or of `modules`).

    `bus` and `keyring` default to the real ones; both may be given by tests and by the embedded runner.
    """
    app = Flask("gateway", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = intake.MAX_UPLOAD
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    operations = openapi.Operations()
    app.extensions[EXTENSION] = _gateway(settings, bus, keyring, operations, limit_scale)
    app.jinja_env.globals["csp_nonce"] = security.style_nonce
    _install_hooks(app)
    errors.install(app)
    app.register_blueprint(health)
    app.register_blueprint(documentation)
    app.register_blueprint(media)
    portal.install(app)
    _register(app, modules if modules is not None else _find_modules(), operations)
    if operations.find(f"learning.{study_lane.OPERATION}", "POST"):
        app.wsgi_app = study_lane.StudyLane(app.wsgi_app, app.extensions[EXTENSION])  # type: ignore[method-assign]
    return app


def _gateway(
    settings: Settings, bus: Bus | None, keyring: KeyRing | None, operations: openapi.Operations, scale: int | None
) -> Gateway:
    from gateway.bus import RealBus

    keyring = keyring or open_keyring(settings)
    bus = bus or RealBus(settings)
    signer = ActorSigner("gateway", keyring.signing_key("actor.gateway"))
    return Gateway(
        settings=settings,
        keyring=keyring,
        bus=bus,
        signer=signer,
        tokens=auth.AccessTokens(keyring.verify_key("access-token")),
        revocations=Revocations.of(bus, signer),
        limiter=Limiter(settings.redis_url, scale or (DEVELOPMENT_LIMIT_SCALE if settings.development else 1)),
        catalogue=load_catalogue(),
        operations=operations,
        study_papers=StudyPapers(keyring),
    )


def _install_hooks(app: Flask) -> None:
    app.before_request(intake.begin)
    app.before_request(_admit)
    app.after_request(_finish)


def _finish(response: Response) -> Response:
    """Caching first, for it may empty the body; the log line last."""
    response = caching.finish(response, request)
    counted_as = call().counted_as
    if counted_as is not None and response.status_code < 400:
        gateway().limiter.forgive(counted_as, request.method, call().actor)
    security.add_headers(response)
    _echo(response)
    observation.record(response, request)
    return response


def _admit() -> None:
    """Everything that is checked before a view: address, who, how often, then the body, which costs most."""
    intake.check_address(request)
    operation = gateway().operations.find(request.endpoint, request.method)
    if operation is None:
        return
    gateway().revocations.start()
    _authenticate_and_count(operation.operation_id)
    intake.check_operation(request, operation)


def _authenticate_and_count(operation_id: str) -> None:
    limiter, method = gateway().limiter, request.method
    try:
        call().actor = auth.authenticate(request)
    except NotAllowed:
        # Whoever tries tokens is a visitor, and counted as one: a signature costs more to check than to make up.
        limiter.count(operation_id, method, auth.visitor(request))
        raise
    limiter.count(operation_id, method, call().actor)
    call().counted_as = operation_id


def _echo(response: Response) -> None:
    """Tell the client under which numbers this request is known."""
    context = call()
    response.headers["X-Call-Id"] = context.call_id
    if context.request_id:
        response.headers["X-Request-Id"] = context.request_id
    if context.idempotency_key:
        response.headers["Idempotency-Key"] = context.idempotency_key


def _find_modules() -> list[ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(blueprints.__path__))
    return [importlib.import_module(f"gateway.blueprints.{name}") for name in names]


def _register(app: Flask, modules: Iterable[ModuleType], operations: openapi.Operations) -> None:
    with warnings.catch_warnings():
        # Two blueprints may both call a nested schema "Item"; apispec then names the second "Item1" and says so.
        warnings.filterwarnings("ignore", message="Multiple schemas resolved to the name")
        parts: Gateway = app.extensions[EXTENSION]
        api = openapi.create_api(app, parts.settings.base_url, parts.catalogue)
        for module in modules:
            _register_module(app, api, module, operations)
        publish(app, api.spec.to_dict())


def _register_module(app: Flask, api: flask_smorest.Api, module: ModuleType, operations: openapi.Operations) -> None:
    blueprint = getattr(module, "blueprint", None)
    if blueprint is not None:
        if not isinstance(blueprint, openapi.Blueprint):
            # flask-smorest's own would read bodies with the lenient parser and answer 422.
            raise TypeError(f"{module.__name__}.blueprint must be a gateway.openapi.Blueprint")
        api.register_blueprint(blueprint, url_prefix=openapi.PREFIX + (blueprint.url_prefix or ""))
        operations.add_blueprint(blueprint)
    pages = getattr(module, "pages", None)
    if pages is not None:
        app.register_blueprint(pages)
