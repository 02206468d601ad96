"""What changes when people sign in, and when others help them to."""
