"""Exams (考试) of courses and programmes: attempts, the server's clock, the judge."""
