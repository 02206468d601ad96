"""The REST edge: shape, identity and limits of requests. It holds no rule and no database; services decide."""
