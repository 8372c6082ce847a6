"""PURE: HCL, the language of Terraform, Nomad, Packer and bake, and what its values come to."""

from bot.detect.hcl.reader import read_hcl
from bot.detect.hcl.scope import Scope, blocks, labelled, named

__all__ = ["Scope", "blocks", "labelled", "named", "read_hcl"]
