"""What org/staffing does, by topic."""
