"""`make demo`: the real server and a small GitHub on loopback, one example pull request."""
