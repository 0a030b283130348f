"""The evaluate stage: mteb scores every task at every dim from one encoding pass, under the right name."""
