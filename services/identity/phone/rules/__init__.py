"""Pure rules of changing a phone: by the old one, and by ticket."""
