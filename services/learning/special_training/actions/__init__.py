"""What is done about applications, classes and results of special training."""
