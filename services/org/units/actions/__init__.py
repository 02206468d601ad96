"""What org/units does: one function per verb, by topic. Each runs in the transaction that its entrypoint opened."""
