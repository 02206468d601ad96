"""Bills of schools, their notices and payments, and what follows when they are not paid (`domain.md` §3.12)."""
