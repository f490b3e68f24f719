"""A submission as it was handed in: a file, folder, archive or notebook, read as data."""
