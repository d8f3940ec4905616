"""The commands: options in, one use case, one output call."""
