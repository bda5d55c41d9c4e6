"""Convolutions of 3 x 3 windows with fewer products."""
