"""Torture: what rowsync promises, tried until it breaks.  README.md says how, and what was found."""
