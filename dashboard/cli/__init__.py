"""The command `lightbox`, and the start of the dashboard."""
