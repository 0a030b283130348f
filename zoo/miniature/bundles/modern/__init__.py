"""The classes of a ModernBERT-like encoder: rotary positions as cosines and sines, GeGLU, an ordinary tokenizer."""
