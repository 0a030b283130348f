"""What the commands call: recipes in, stages run in order, what came of each out."""
