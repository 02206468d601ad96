"""What happens to periods (`periods`) and in them (`offerings`)."""
