"""The state as GitHub writes it in JSON; the truth checks each answer against the description."""
