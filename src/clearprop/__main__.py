"""``python -m clearprop`` is the command ``clearprop``."""

from clearprop.cli.main import main

if __name__ == "__main__":
    main()
