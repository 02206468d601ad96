"""The services, one folder each; `shared` holds plumbing only."""
