"""Where a stage's work is done: in this process, in several here, or on a cluster. What is done is the same."""
