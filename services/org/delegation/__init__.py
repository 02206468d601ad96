"""Authority codes, activation and its progress (`domain.md` §3.8), unit administrators and principals."""
