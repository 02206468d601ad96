"""Projects of special training 专项培训 (`domain.md` §3.14): kept and published here; learning takes the applications."""
