"""The real servers and processes the tests, the benchmark and the fault runner use.

Each module is a plain context manager; `plugin` turns them into pytest fixtures.
"""
