"""PURE: Jsonnet and Starlark as CI configurations use them, read tolerantly into YAML-like trees.

Object and list literals with their lines, variables, functions with literal arguments, `+`. What
would have to be computed stays as the text of its expression. Nothing is executed without a bound.
"""
