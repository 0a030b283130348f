"""One recipe per base model: train, evaluate and publish embedding models on the Hugging Face Hub."""

__version__ = "0.1.0"
