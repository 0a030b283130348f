"""Versions of what is published: tags, their changelog, word of a successor, and the way back."""
