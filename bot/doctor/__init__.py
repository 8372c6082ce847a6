"""`sockgate doctor`: what is live, against what is needed."""
