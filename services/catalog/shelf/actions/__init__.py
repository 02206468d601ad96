"""What is counted (`counting`), rated (`rating`), shown and recommended (`showing`)."""
