"""The contamination stage: which rows of the evaluation tasks are in a recipe's own and its parents' training text."""
