"""One module a format, found by looking. They do not import each other."""
