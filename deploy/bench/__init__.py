"""Measurements of whichlayer itself: run by hand or by ``make bench``, never as a test."""
