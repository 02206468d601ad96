"""The national pass: binding an OpenID provider’s account and signing in by it (`domain.md` §2.1)."""
