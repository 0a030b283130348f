"""Publishes what was built on the Hub, in three acts, with a proof afterwards and versions to go back to.

desired/    what each repository should hold: releases, made from the finished stages
plan/       what would change: the Hub is looked at and compared, nothing is sent
apply/      the change itself: one commit for each repository, then the Space's settings and the collection
proof/      what was published is loaded back by a process that knows nothing but its id
versions/   tags with a changelog, and the way back to them

sending.py is the one door: everything that changes the Hub goes through it and is searched for secrets; zoo/patience.py
waits out what goes wrong for a moment.
"""
