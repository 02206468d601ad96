"""Reference clients of the public API: plain requests, nothing of the services inside."""
