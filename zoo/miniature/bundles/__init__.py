"""Code that stand-ins bring in their repositories, as foreign models do; nothing here imports `zoo`, and it is data."""
