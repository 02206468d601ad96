"""Correcting what was issued: a new edition of a certificate, or its revocation; one person asks, another decides."""
