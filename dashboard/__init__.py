"""What pages share: state and deep links, caches, jobs, the viewer, charts, the report."""

NOTICE = "For research and teaching, not for diagnosis."
"""What every page and report says of itself."""
