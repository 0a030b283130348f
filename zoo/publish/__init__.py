"""The publish stage: what each repository should hold, what would change, one commit each, and the proof."""
