"""Signing in: captcha, second factor, desks, step-up, sessions, limits, resets by administrators."""
