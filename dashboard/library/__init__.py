"""The library page: films and models at hand, folders read in, downloads."""
