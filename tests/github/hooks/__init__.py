"""Webhooks: what is said about a change, to whom, signed and sent over HTTP."""
