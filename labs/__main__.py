"""`python -m labs`: the same as `replab`."""

from labs.cli import main

if __name__ == "__main__":
    main()
