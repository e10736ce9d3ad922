"""The story, read top to bottom: intake, worker, removal, reporting; and what a person may do."""
