"""Runtimes and their adapters, behind one protocol."""
