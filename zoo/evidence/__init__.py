"""What numbers are made of: scores, their resampling, printed scores, overlaps."""
