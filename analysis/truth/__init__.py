"""Simulated worlds: facts whose truth is known, so that verdicts can be held against it. All of it is synthetic.

A world is drawn from a seed, and the truth stands beside its window, never in it. The engine imports nothing of this.
"""
