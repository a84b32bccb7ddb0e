"""The contract over HTTP: what the framework knows of the routes, completed by what our types and our errors say."""
