"""Suites that break what can break around rowsync, and see that its promises hold."""
