"""The proof of the ledger as a daily run; what it finds stops the issue of certificates (`reliability.md` 12)."""
