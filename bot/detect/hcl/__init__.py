"""PURE: HCL, the language of Terraform, Nomad, Packer and bake, and what its values come to."""

from bot.detect.hcl.handed import Handed
from bot.detect.hcl.reader import read_hcl
from bot.detect.hcl.scope import At, Scope, blocks, labelled, named

__all__ = ["At", "Handed", "Scope", "blocks", "labelled", "named", "read_hcl"]
