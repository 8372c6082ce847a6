"""Long tries against real server processes: kills, cuts, storms, downtime.

The tests run a small share of them; `make kill` and `make storm` the whole.
"""

PATIENCE = 3  # seconds until GitHub counts as silent
