"""What identity does, one file per subject. Actions run inside the caller's transaction and touch nothing else.

A refusal that must leave a trace (a counted guess) cannot be an exception, which would roll the trace back: such an
action returns `Refused`, the transaction commits, and only then the entrypoint raises it.
"""
