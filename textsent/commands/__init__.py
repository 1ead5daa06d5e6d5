"""The commands of the command line: they parse, call, and show; what is done is done elsewhere."""
