"""`python -m yanxiu` is the `yanxiu` command."""

from yanxiu.cli import main

main()
