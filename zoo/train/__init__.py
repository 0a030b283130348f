"""The train stage: sentence-transformers trains what the recipe says, phase by phase, and a crash loses nothing."""
