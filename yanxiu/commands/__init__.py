"""One module per subcommand; each exposes `command`. Listed in `yanxiu.cli.COMMANDS` (`bus dlq` in `bus.py`)."""
