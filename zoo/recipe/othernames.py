"""Keys under the names that people know from elsewhere: TrainingArguments', peft's, and what everybody says."""

from __future__ import annotations

from collections.abc import Iterable

from zoo.errors import did_you_mean

OTHER_NAMES = {
    "epochs": "num_train_epochs num_epochs n_epochs",
    "max_steps": "steps num_steps total_steps",
    "batch_size": "per_device_train_batch_size per_device_batch_size train_batch_size bs",
    "learning_rate": "lr peak_lr max_lr",
    "learning_rate_mapping": "lr_mapping param_groups",
    "layerwise_decay": "llrd layer_decay layerwise_lr_decay",
    "warmup": "warmup_ratio warmup_steps num_warmup_steps",
    "weight_decay": "wd decay",
    "scheduler": "lr_scheduler_type lr_scheduler lr_schedule schedule",
    "lr_scheduler_kwargs": "scheduler_kwargs scheduler_options scheduler_params",
    "optim": "optimizer optimiser",
    "adam_beta1": "beta1 betas adam_betas",
    "adam_beta2": "beta2",
    "adam_epsilon": "eps epsilon adam_eps",
    "max_grad_norm": "max_norm grad_norm grad_clip gradient_clip gradient_clipping clip_grad_norm clipping",
    "gradient_accumulation_steps": "gradient_accumulation grad_accum grad_accumulation accumulation_steps accumulation",
    "gradient_checkpointing": "activation_checkpointing grad_checkpointing checkpointing use_gradient_checkpointing",
    "max_seq_length": "max_length max_len seq_length sequence_length",
    "precision": "bf16 fp16 fp32 mixed_precision amp",
    "dtype": "torch_dtype weights_dtype",
    "attn_implementation": "attention attn attention_implementation flash_attention",
    "torch_compile": "compile",
    "lora": "peft peft_config lora_config adapter adapters",
    "r": "rank lora_r",
    "alpha": "lora_alpha",
    "dropout": "lora_dropout",
    "targets": "target_modules lora_targets",
    "dataloader_num_workers": "num_workers workers",
    "early_stopping_patience": "patience early_stopping early_stop",
    "early_stopping_threshold": "min_delta threshold",
    "sampler": "batch_sampler",
    "mix": "multi_dataset_batch_sampler",
    "best": "metric_for_best_model",
    "dev": "eval_dataset evaluator validation",
}
"""{key of ours: what others call it}."""
OURS = {other: ours for ours, others in OTHER_NAMES.items() for other in others.split()}


def nearest_key(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the key that somebody may have meant; None when there is none, and many."""
    choices = set(known)
    meant = OURS.get(name.lower())
    return f"did you mean '{meant}'?" if meant in choices else did_you_mean(name, choices)
