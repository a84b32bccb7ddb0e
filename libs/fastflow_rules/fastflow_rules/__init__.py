"""Rules that several services need, as pure functions of facts and an instant."""
