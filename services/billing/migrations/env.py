"""Alembic's entry; everything common is in `services.shared.migrations`."""

from services.shared.migrations import run_environment

run_environment()
