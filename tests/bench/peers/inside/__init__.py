"""What runs in the environment of a peer, by the Python there: an app a library, a door and a job for all of them.

Nothing of ours is imported in here: the libraries that `service` needs are not in those environments.
"""
