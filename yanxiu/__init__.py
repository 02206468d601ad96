"""The `yanxiu` command: run, feed, inspect and repair an installation. It holds no business rule."""
