"""The change itself: one commit for each repository, then the Space's settings and the collection."""
