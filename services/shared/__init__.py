"""Plumbing that at least two services need. No service, no business word; it never imports a service."""
