"""A Hugging Face Hub on this machine, for the real, unmodified clients.

`zoo.hub.local.local_hub` starts one, `zoo.hub.store.Store` is its disk, `zoo.hub.server.create_app` its HTTP side.
Nothing in here imports the rest of zoo or any Hugging Face library: it is what they talk to.
"""
