"""Loading a history: purchases of a CSV file, posted through the HTTP API as a till would."""
