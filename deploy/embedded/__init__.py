"""All of Chatsite on one machine, under one supervisor: `python -m deploy.embedded`."""
