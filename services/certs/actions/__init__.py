"""What certs does: keeps what others announce, decides and issues, and keeps the documents made."""
