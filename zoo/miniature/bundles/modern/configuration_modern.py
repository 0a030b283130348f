"""The shape of the encoder."""

from transformers import PretrainedConfig


class ModernConfig(PretrainedConfig):
    """A small encoder with rotary positions, GeGLU and no biases."""

    model_type = "zoo-modern"

    def __init__(
        self,
        vocab_size=2200,
        hidden_size=768,
        num_hidden_layers=2,
        num_attention_heads=12,
        intermediate_size=512,
        max_position_embeddings=512,
        rope_theta=10000.0,
        norm_eps=1e-5,
        initializer_range=0.02,
        pad_token_id=0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.max_position_embeddings = max_position_embeddings
        self.rope_theta = rope_theta
        self.norm_eps = norm_eps
        self.initializer_range = initializer_range
        self.pad_token_id = pad_token_id
