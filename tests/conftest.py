"""Fixtures of all tests. That this file is here puts `tests/` on the path, so that `books` can be imported."""
