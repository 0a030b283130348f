"""Rules that rows of texts are held to, translated ones against their sources.

To add one: a decorated function in rules.py, its threshold in `Limits` of rule.py, and its option in the step audit.
"""
