"""PURE: the files of one commit -> grants and unknowns. Knows no diff, no policy, no GitHub."""
