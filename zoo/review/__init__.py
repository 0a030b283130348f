"""People's verdicts on a sample of a dataset's rows: the sheet, its page, and what the verdicts come to."""
