"""Nix expressions, read tolerantly: what is set to what, without evaluating anything."""
