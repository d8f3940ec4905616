"""What both engines keep the same way: the project's folder, its state file, its lock and its ports."""
