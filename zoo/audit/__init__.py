"""Rules that rows of texts are held to, translated ones against their sources. To add one: a function in rules.py."""
