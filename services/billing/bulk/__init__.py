"""Billing's jobs over many rows: reconciling a bank's file, and exports."""
