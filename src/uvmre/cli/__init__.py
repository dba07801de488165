"""The command line: parse, call the flow, show. One small file a verb."""
