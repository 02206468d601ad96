"""What the catalogue does to many courses at once, in a process type of its own (`catalog-bulk`)."""
