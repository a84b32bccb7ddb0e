"""The service gateway: what people and other systems ask and are answered, over HTTP and NATS."""
