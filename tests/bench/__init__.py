"""Benchmarks: each prints a table whose last line is the ratio that counts, and leaves with 1 below its bar."""
