"""Finished models, looked at row by row."""
