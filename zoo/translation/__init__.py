"""Translation of sentences by models of the Hub: NMT models in CTranslate2's format, and a memory of what they said.

To add a family of models: a function in families.py. Importing the package is light; its libraries come with the extra
`translate` and are imported when they are needed.
"""
