"""Models as recipes describe them: what decides their embeddings, and how they are loaded."""
