"""The configuration: read, judged, described."""
