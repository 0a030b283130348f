"""What does this Hub answer to? One file per topic, each with its table of routes."""
