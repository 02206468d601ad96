"""What billing does with bills, by topic."""
