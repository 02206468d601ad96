"""Certificates as Open Badges 3.0, that is W3C Verifiable Credentials, with their status lists and the issuer's DID document."""
