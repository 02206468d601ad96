"""Links with which a teacher shows a certificate to somebody, with the full name and the PDF, until a day or until taken back."""
