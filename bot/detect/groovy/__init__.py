"""PURE: Groovy as Jenkins pipelines use it, read tolerantly: text -> tokens -> calls with values.

Nothing is executed and nothing is refused: what is not understood is passed over, token by token.
"""
