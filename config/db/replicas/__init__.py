"""Reads from copies of the database that follow it: `docs/replicas.md` tells how to use them.

`reads` says whose reads may go there, `router` sends them, `nodes` knows which copies are fit, and `base` is the engine
of the one connection that leads to any of them. Without ``DATABASE_REPLICA_URLS`` nothing of this is installed.
"""
