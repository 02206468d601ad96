"""Texts of error codes in the reader's language, gathered from every service's contract."""

from __future__ import annotations

import importlib
import pkgutil

from werkzeug.datastructures import LanguageAccept

import services
from services.shared import messages

LANGUAGES = ("zh", "en")


class Catalogue:
    """Messages by code. An unknown code (a newer service's) reads as its kind does."""

    def __init__(self, errors: dict[str, tuple[str, str]]) -> None:
        self._errors = errors

    def text(self, code: str, language: str, otherwise: str = "shared.unknown") -> str:
        return self._errors.get(code, self._errors[otherwise])[LANGUAGES.index(language)]

    def codes(self) -> list[str]:
        return sorted(self._errors)


def load_catalogue() -> Catalogue:
    """The shared messages and those of each `services/<service>/contract.py`."""
    errors = dict(messages.ERRORS)
    for module in pkgutil.iter_modules(services.__path__):
        contract = _find_contract(module.name)
        errors.update(getattr(contract, "ERRORS", {}))
    return Catalogue(errors)


def _find_contract(service: str) -> object | None:
    name = f"services.{service}.contract"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            return None
        raise


def choose_language(accepted: LanguageAccept) -> str:
    """Chinese unless the reader prefers English (`architecture.md` part 4)."""
    best = accepted.best_match(("zh", "zh-CN", "zh-Hans", "en", "en-US", "en-GB"), default="zh")
    return best[:2]
