"""Question banks (题库): what quizzes and exams draw on."""
