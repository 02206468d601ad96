"""What administrators see of their territory: certificates one by one, and how many; counted after every change, never when asked."""
