"""huggingface_hub's own tests of the Hub, run against ours: `make conformance`. Fetched from PyPI, never committed."""
