"""The data stage: a dataset from its recipe, as Parquet files and a report of what was dropped."""
