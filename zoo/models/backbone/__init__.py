"""The probe of a base model: whether its tokenizer and its numbers are fit to be trained on."""
