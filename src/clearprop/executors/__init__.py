"""Executors: what turns a Program and arrays into arrays.   Floor 4."""
