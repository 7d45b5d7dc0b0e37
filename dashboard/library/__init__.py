"""The library page: available films and models, folders read in, downloads."""
