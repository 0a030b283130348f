"""What this Hub answers to: one file per topic, each with its table of routes."""
