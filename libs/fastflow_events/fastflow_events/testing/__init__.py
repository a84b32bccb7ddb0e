"""What tests of the services, and of other people's code on top of them, need."""
