"""What pages share: state and deep links, caches, jobs, the viewer, charts, the report."""
