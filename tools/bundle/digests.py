"""The digest of every file of a bundle: written when it is built, checked before it is installed."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

SUMS = "SHA256SUMS"


def digests_of(files: Mapping[str, bytes]) -> str:
    """Return the text of SHA256SUMS, in the form of ``sha256sum``."""
    return "".join(f"{sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items()))


def damage(folder: Path) -> str:
    """Return what is missing from a bundle, changed in it or added to its wheels; empty where it is whole."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        return f"{SUMS} cannot be read: {getattr(error, 'strerror', None) or error}"
    promised = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
    for path, digest in promised.items():
        try:
            data = (folder / path).read_bytes()
        except OSError as error:
            return f"{path} cannot be read: {error.strerror or error}"
        if sha256(data).hexdigest() != digest:
            return f"{path} is not the file that was bundled"
    for wheel in (folder / "wheels").iterdir():
        if f"wheels/{wheel.name}" not in promised:
            return f"wheels/{wheel.name} is not part of the bundle"
    return ""
