"""What can run the stack."""
