"""`sockgate doctor`: what is live, against what is needed, and how to mend it."""
