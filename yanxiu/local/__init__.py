"""Running Yanxiu on this machine: the embedded PostgreSQL, and the launcher of both modes."""
