"""The admin listener: REST, metrics, readiness."""
