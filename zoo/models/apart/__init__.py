"""The process apart that alone runs code of others, what stands for its model in ours, and what both say."""
