"""The data stage: a dataset from its recipe, as Parquet files and a report of what was dropped.

To add a kind of file that rows are read from: its suffix in recipe/localfiles.py, its reader in localrows.py.
"""
