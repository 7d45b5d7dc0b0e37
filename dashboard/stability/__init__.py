"""The stability page, its report and its command."""
