"""The benchmark page: runs watched and browsed."""
