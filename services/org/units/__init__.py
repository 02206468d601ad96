"""Schools and institutions: changing, merging, closing, moving them; missing-school requests; tenant policies."""
