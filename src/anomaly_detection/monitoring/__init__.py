"""How the service and its models are doing: health, live quality from labels, logs, traces."""
