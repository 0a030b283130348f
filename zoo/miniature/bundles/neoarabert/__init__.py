"""The classes of a NeoAraBERT-like encoder: rotary positions, RMSNorm, SwiGLU, a tokenizer with marks behind words."""
