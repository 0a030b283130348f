"""A small encoder with rotary positions, GeGLU and no biases."""

import torch
from torch import nn
from torch.nn.functional import gelu, scaled_dot_product_attention
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, MaskedLMOutput

from .configuration_modern import ModernConfig


class ModernRotary(nn.Module):
    """Cosines and sines of every position, in buffers that no checkpoint holds."""

    def __init__(self, dim, length, theta):
        super().__init__()
        speeds = 1.0 / theta ** (torch.arange(0, dim, 2).float() / dim)
        angles = torch.outer(torch.arange(length).float(), speeds).repeat(1, 2)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, x):
        """Rotate (batch, heads, length, dim)."""
        length = x.shape[2]
        first, second = x.chunk(2, dim=-1)
        turned = torch.cat((-second, first), dim=-1)
        return x * self.cos[:length].to(x.dtype) + turned * self.sin[:length].to(x.dtype)


class ModernLayer(nn.Module):
    """Attention and GeGLU, each behind a LayerNorm and beside a way past it."""

    def __init__(self, config):
        super().__init__()
        self.heads = config.num_attention_heads
        self.attn_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps, bias=False)
        self.Wqkv = nn.Linear(config.hidden_size, 3 * config.hidden_size, bias=False)
        self.Wo = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.mlp_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps, bias=False)
        self.Wi = nn.Linear(config.hidden_size, 2 * config.intermediate_size, bias=False)
        self.Wd = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x, mask, rotary):
        batch, length, width = x.shape
        parts = self.Wqkv(self.attn_norm(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = scaled_dot_product_attention(rotary(parts[0]), rotary(parts[1]), parts[2], attn_mask=mask)
        x = x + self.Wo(attended.transpose(1, 2).reshape(batch, length, width))
        value, gate = self.Wi(self.mlp_norm(x)).chunk(2, dim=-1)
        return x + self.Wd(gelu(value) * gate)


class ModernPreTrainedModel(PreTrainedModel):
    """What the encoder and its head share."""

    config_class = ModernConfig
    base_model_prefix = "model"
    _supports_sdpa = True

    def _init_weights(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=self.config.initializer_range)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)


class ModernModel(ModernPreTrainedModel):
    """The encoder without a head."""

    def __init__(self, config):
        super().__init__(config)
        self.embeddings = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        width = config.hidden_size // config.num_attention_heads
        self.rotary = ModernRotary(width, config.max_position_embeddings, config.rope_theta)
        self.layers = nn.ModuleList(ModernLayer(config) for _ in range(config.num_hidden_layers))
        self.final_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps, bias=False)
        self.post_init()

    def get_input_embeddings(self):
        return self.embeddings

    def set_input_embeddings(self, value):
        self.embeddings = value

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, inputs_embeds=None, **kwargs):
        """Encode a batch; token types make no difference."""
        x = self.embeddings(input_ids) if inputs_embeds is None else inputs_embeds
        mask = None if attention_mask is None else attention_mask[:, None, None, :].bool()
        for layer in self.layers:
            x = layer(x, mask, self.rotary)
        return BaseModelOutput(last_hidden_state=self.final_norm(x))


class ModernForMaskedLM(ModernPreTrainedModel):
    """The encoder with the head that such models are trained with."""

    def __init__(self, config):
        super().__init__(config)
        self.model = ModernModel(config)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def forward(self, input_ids=None, attention_mask=None, **kwargs):
        encoded = self.model(input_ids, attention_mask=attention_mask, **kwargs)
        return MaskedLMOutput(logits=self.decoder(encoded.last_hidden_state))
