"""What the tool does: functions that take ports and return frozen results. Nothing here prints."""
