"""What a label covers: fingerprints, each as often as the check showed it."""

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

WHOLE = "all-"  # begins what stands for a whole set of fingerprints


def numbered(fingerprints: Iterable[str]) -> tuple[str, ...]:
    """Tell grants of one fingerprint apart, so that a set of them says how many there are.

    The first keeps it, the second is "<fingerprint>.2": a label put on for one of them is not put
    on for one more of the same file, subject, socket and image.
    """
    seen: Counter[str] = Counter()
    keys = []
    for one in fingerprints:
        seen[one] += 1
        keys.append(one if seen[one] == 1 else f"{one}.{seen[one]}")
    return tuple(keys)


def set_digest(fingerprints: Iterable[str]) -> str:
    """Return what stands for a whole set of fingerprints where a record has no room for each."""
    return WHOLE + sha256(" ".join(sorted(fingerprints)).encode()).hexdigest()


def is_covered(found: frozenset[str], cover: frozenset[str]) -> bool:
    """Tell whether a cover holds all of `found`: one by one, or the rest as one whole set."""
    left = found - cover
    return not left or set_digest(left) in cover
