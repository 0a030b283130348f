"""A small encoder of Arabic with rotary positions, RMSNorm before each block, SwiGLU, and no biases."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, scaled_dot_product_attention
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, MaskedLMOutput
from xformers.ops import SwiGLU

from .rotary import apply_rotary_emb, precompute_freqs_cis


class NeoAraBERTConfig(PretrainedConfig):
    """The shape of the encoder. `intermediate_size` is that of a plain feed-forward block; SwiGLU has two thirds."""

    model_type = "neoarabert"

    def __init__(
        self,
        hidden_size=768,
        num_hidden_layers=28,
        num_attention_heads=12,
        intermediate_size=3072,
        embedding_init_range=0.02,
        decoder_init_range=0.02,
        norm_eps=1e-6,
        vocab_size=65000,
        pad_token_id=0,
        max_position_embeddings=1024,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if hidden_size % num_attention_heads:
            raise ValueError("hidden_size must be a multiple of num_attention_heads")
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.dim_head = hidden_size // num_attention_heads
        self.intermediate_size = intermediate_size
        self.embedding_init_range = embedding_init_range
        self.decoder_init_range = decoder_init_range
        self.norm_eps = norm_eps
        self.vocab_size = vocab_size
        self.pad_token_id = pad_token_id
        self.max_position_embeddings = max_position_embeddings


class EncoderBlock(nn.Module):
    """Attention and SwiGLU, each behind an RMSNorm and beside a way past it."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.qkv = nn.Linear(config.hidden_size, 3 * config.hidden_size, bias=False)
        self.wo = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        inner = 8 * ((2 * config.intermediate_size // 3 + 7) // 8)
        self.ffn = SwiGLU(config.hidden_size, inner, config.hidden_size, bias=False)
        self.attention_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.ffn_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)

    def forward(self, x, attention_mask, freqs_cis, output_attentions):
        attended, weights = self._attend(self.attention_norm(x), attention_mask, freqs_cis, output_attentions)
        x = x + attended
        return x + self.ffn(self.ffn_norm(x)), weights

    def _attend(self, x, attention_mask, freqs_cis, output_attentions):
        batch, length, _ = x.shape
        heads = self.qkv(x).view(batch, length, self.config.num_attention_heads, 3 * self.config.dim_head)
        queries, keys, values = heads.chunk(3, dim=-1)
        queries, keys = apply_rotary_emb(queries, keys, freqs_cis)
        queries, keys, values = (part.transpose(1, 2) for part in (queries, keys, values))
        weights = None
        if output_attentions:
            scores = queries @ keys.transpose(2, 3) / self.config.dim_head**0.5
            if attention_mask is not None:
                scores = scores.masked_fill(~attention_mask, torch.finfo(scores.dtype).min)
            weights = scores.softmax(-1)
            attended = weights @ values
        else:
            attended = scaled_dot_product_attention(queries, keys, values, attn_mask=attention_mask)
        return self.wo(attended.transpose(1, 2).reshape(batch, length, -1)), weights


class NeoAraBERTPreTrainedModel(PreTrainedModel):
    """What the encoder and its heads share."""

    config_class = NeoAraBERTConfig
    base_model_prefix = "model"
    _supports_sdpa = True

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            nn.init.uniform_(module.weight, -self.config.decoder_init_range, self.config.decoder_init_range)
        elif isinstance(module, nn.Embedding):
            nn.init.uniform_(module.weight, -self.config.embedding_init_range, self.config.embedding_init_range)
        elif isinstance(module, nn.RMSNorm):
            nn.init.ones_(module.weight)


class NeoAraBERT(NeoAraBERTPreTrainedModel):
    """The encoder without a head."""

    def __init__(self, config):
        super().__init__(config)
        self.config = config
        self.encoder = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        freqs_cis = precompute_freqs_cis(config.dim_head, config.max_position_embeddings)
        self.register_buffer("freqs_cis", freqs_cis, persistent=False)
        self.transformer_encoder = nn.ModuleList(EncoderBlock(config) for _ in range(config.num_hidden_layers))
        self.layer_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.post_init()

    def get_input_embeddings(self):
        return self.encoder

    def set_input_embeddings(self, value):
        self.encoder = value

    def forward(
        self,
        input_ids=None,
        position_ids=None,
        max_seqlen=None,
        cu_seqlens=None,
        attention_mask=None,
        inputs_embeds=None,
        output_hidden_states=False,
        output_attentions=False,
        **kwargs,
    ):
        """Encode a batch; other inputs, such as token types, make no difference."""
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("give either input_ids or inputs_embeds")
        if cu_seqlens is not None:
            raise NotImplementedError("packed texts need flash attention, which this small encoder does without")
        x = self.encoder(input_ids) if inputs_embeds is None else inputs_embeds
        length = x.shape[1]
        if attention_mask is not None:  # (batch, length) -> (batch, heads, length, length)
            heads = self.config.num_attention_heads
            attention_mask = attention_mask[:, None, None, :].repeat(1, heads, length, 1).bool()
        rotations = self.freqs_cis[position_ids] if position_ids is not None else self.freqs_cis[:length].unsqueeze(0)
        states, attentions = [x], []
        for block in self.transformer_encoder:
            x, weights = block(x, attention_mask, rotations, output_attentions)
            states.append(x)
            attentions.append(weights)
        return BaseModelOutput(
            last_hidden_state=self.layer_norm(x),
            hidden_states=tuple(states) if output_hidden_states else None,
            attentions=tuple(attentions) if output_attentions else None,
        )


class NeoAraBERTLMHead(NeoAraBERTPreTrainedModel):
    """The encoder with the head that it was trained with: the piece behind every mask."""

    def __init__(self, config):
        super().__init__(config)
        self.config = config
        self.model = NeoAraBERT(config)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def forward(self, input_ids=None, attention_mask=None, labels=None, **kwargs):
        encoded = self.model(input_ids, attention_mask=attention_mask, **kwargs)
        logits = self.decoder(encoded.last_hidden_state)
        loss = None if labels is None else cross_entropy(logits.flatten(0, 1), labels.flatten())
        return MaskedLMOutput(loss=loss, logits=logits, hidden_states=encoded.hidden_states)
