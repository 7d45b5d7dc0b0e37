"""What leaves the dashboard as a file: HTML, PDF, slide, tables, raw maps, DICOM."""
