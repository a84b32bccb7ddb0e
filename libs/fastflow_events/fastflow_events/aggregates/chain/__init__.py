"""The chain aggregate: a pipeline that is to run after another, set over the API; files say the same in themselves."""
