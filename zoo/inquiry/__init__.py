"""What `zoo check --hub` asks: are models, data and accounts as recipes say? No weights, no rows, nothing sent."""
