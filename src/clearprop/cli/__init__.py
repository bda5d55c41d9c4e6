"""The command line: train, predict, evaluate, summary, show and check.

Each command reads a source, asks the library, and tells people what came out: with colors and
drawings on a terminal, as plain lines and CSV in a pipe.
"""
