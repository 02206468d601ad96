"""Special training 专项培训 (`domain.md` §3.14): applications, their reviews, classes and results."""
