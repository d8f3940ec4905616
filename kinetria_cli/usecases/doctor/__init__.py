"""Walking from the configuration to the service, to the first broken link and its cause."""
