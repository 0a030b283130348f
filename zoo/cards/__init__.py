"""The card stage: README files from templates and measured facts. A fact that is missing stops the card."""
