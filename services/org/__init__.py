"""Org: divisions, schools, memberships and administrators' grants."""
