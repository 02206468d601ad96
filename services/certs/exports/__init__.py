"""What certs hands out as files, in a process type of its own (`certs-bulk`)."""
