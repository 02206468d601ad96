"""The decisions of study: pure functions of plain values, standard library only.

`multirange` is the algebra; `earning` decides which reported seconds are earned and which of them count;
`quizzes` judges answers; `explaining` gives the reason for every second that does not count.
"""
