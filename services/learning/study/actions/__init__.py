"""The verbs of study, a file each: sessions, answers, reports, evidence (snapshots for credits), closing, progress."""
