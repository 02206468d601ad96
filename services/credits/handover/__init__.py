"""Hours of a national season that enter a local register, from an issued certificate and by the local pack's rule (F14)."""
