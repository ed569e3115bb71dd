"""What became of the requests: kept, asked for, shown."""
