"""Where a stage's work is done: in this process, in several on this machine, or on a cluster. It is the same work."""
