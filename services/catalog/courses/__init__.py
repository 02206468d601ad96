"""Courses that periods offer: their record, its versions, and who keeps them."""
