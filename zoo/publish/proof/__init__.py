"""The proof that what was published is what was built, found out by a process that knows only its id."""
