"""What a Program is: typed values, equations in order, and nothing else.   Floor 1."""
