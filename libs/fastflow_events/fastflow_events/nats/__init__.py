"""Everything that knows NATS: connections, accounts, streams, the event log, objects and leases."""
