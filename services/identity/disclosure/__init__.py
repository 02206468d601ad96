"""Personal data in clear, for exports: the only way by which many people's leave identity."""
