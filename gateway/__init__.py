"""The gateway: REST API, authentication at the edge, rate limits, downloads. It holds no database and no rule."""
