"""Other people's queues beside ours: the same endpoint, the same HMAC, the same two calls, the same Redis and fsync.

`known.py` says which there are and what each is told; `environments.py` builds a place for each to run in; `sides.py`
starts them, and us, side by side; `inside/` is what runs in those places. `peers_enqueue`, `peers_killed` and
`peers_duplicates` beside this folder measure.
"""
