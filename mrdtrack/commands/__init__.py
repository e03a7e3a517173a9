"""What each command does: one module a command, read top to bottom."""
