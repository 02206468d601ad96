"""Certificates that a teacher asks for: the study proof of a season (成绩证明), the credit certificate of a year (学分证书)."""
