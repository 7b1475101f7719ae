"""Starts the pieces of the local stack in order, watches them, stops them in reverse."""
