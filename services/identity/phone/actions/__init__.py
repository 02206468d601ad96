"""What is done about phones: changes by the old one, tickets, the support desk, what jobs finish and forget."""
