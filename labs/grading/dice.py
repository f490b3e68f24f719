"""A grader's secret, and the dice that come of it.

The checks and their seeds are public. So that nobody can tell a graded run by its first random number, or write down
beforehand what a seed will bring, graded runs mix something into every seed that is not known before. Law of this
module: what is mixed in stands in the report, so that a failed run can be repeated; from that neither the secret nor
another submission's dice can be found.
"""

from __future__ import annotations

import os
import secrets
from hashlib import sha256
from pathlib import Path

from labs.grading.errors import GraderError

FILE = "secret.txt"
"""In the results' folder: the same command again, on this or another machine, goes on with the same secret."""
_LONGEST = 1000


def dice_for(secret: str, fingerprint: str) -> str:
    """The dice of one submission. Equal files have equal dice."""
    return sha256(f"{secret}/{fingerprint}".encode()).hexdigest()[:16]


def mixed(name: str, dice: str) -> str:
    """The seed of some chance: `name`, with the dice mixed in if there are any."""
    return f"{name}/{dice}" if dice else name


def mixed_number(seed: int, dice: str) -> int:
    """Likewise, where a seed must be a whole number."""
    return int(sha256(f"{seed}/{dice}".encode()).hexdigest()[:12], 16) if dice else seed


def secret_in(out: Path) -> str:
    """The secret that is kept in this folder; a new one, readable for its owner alone, where there is none.

    Raises `GraderError` for a file that cannot be used.
    """
    path = out / FILE
    out.mkdir(parents=True, exist_ok=True)
    fresh = out / f".{FILE}-{secrets.token_hex(8)}"
    try:
        if not path.exists():
            # Written under another name first: of several graders one gives the name, and nobody reads half a secret.
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(16) + "\n")
            _name_it(fresh, path)
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise GraderError(f"the secret in {path} cannot be read or written: {error}") from error
    finally:
        fresh.unlink(missing_ok=True)
    if not text or len(text) > _LONGEST:
        raise GraderError(f"{path} must hold a line of text, the secret of this grading; remove it, and one is drawn")
    return text


def _name_it(fresh: Path, path: Path) -> None:
    try:
        os.link(fresh, path)
    except FileExistsError:
        return  # another grader was faster: its secret counts
    except OSError:  # a file system without links
        os.replace(fresh, path)
