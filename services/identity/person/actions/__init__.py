"""What is done to the person's record, one file per subject. Actions run inside the caller's transaction."""
