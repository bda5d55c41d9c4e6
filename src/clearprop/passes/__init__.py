"""Passes: from a Program to another one that computes more, or the same with less.   Floor 3."""
