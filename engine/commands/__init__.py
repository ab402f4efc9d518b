"""What the command line does, one module a command; `engine.cli` parses and reports."""
