"""What org does to many at once, in a process type of its own (`org-bulk`): rosters, decisions by list, exports."""
