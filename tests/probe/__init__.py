"""A small service for testing the plumbing: it counts, announces what it counted, and hears its own announcements."""
