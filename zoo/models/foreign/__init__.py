"""Code of others that models bring: what asks for it, what it needs and reaches, and the consent that it runs by."""
