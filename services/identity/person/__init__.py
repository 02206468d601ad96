"""The person’s record: learner number, reviews and corrections, merging, erasure."""
