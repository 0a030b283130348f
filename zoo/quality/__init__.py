"""Checks of any dataset, ours or not: what is wrong with its rows, in figures and examples.

To add one: a decorated function in a file of checks/.
"""
