"""What credits hands out as files, in a process type of its own (`credits-bulk`)."""
