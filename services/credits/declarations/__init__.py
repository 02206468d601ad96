"""Hours that teachers declare for what they did elsewhere, reviewed twice (`domain.md` §3.16)."""
