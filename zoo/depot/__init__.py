"""Built stages in a dataset repository on the Hub, so that one machine publishes what another one built."""
