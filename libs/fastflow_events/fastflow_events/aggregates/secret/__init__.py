"""The secret aggregate: a name whose value is known to nobody but the runners."""
