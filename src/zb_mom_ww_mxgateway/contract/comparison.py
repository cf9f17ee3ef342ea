"""What differs between the contract that is spoken here and another one, for people."""

import sys
from pathlib import Path

from zb_mom_ww_mxgateway.contract.adoption import spoken
from zb_mom_ww_mxgateway.contract.descriptors import built_in_files, files_at, files_of, read_set
from zb_mom_ww_mxgateway.contract.differences import Difference, Weight, differences, things_of
from zb_mom_ww_mxgateway.contract.messages import modules_of
from zb_mom_ww_mxgateway.contract.needs import lacks_of
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError


def compared(path: Path) -> list[Difference]:
    """The differences between what this process speaks and a descriptor set, or a folder of ``.proto`` files.

    Raises MxGatewayArgumentError when either cannot be read.
    """
    files, ours = files_at(path), spoken()
    spoken_files = built_in_files() if ours.path is None else files_of(ours.path, read_set(ours.path))
    return differences(things_of(spoken_files), things_of(files), lacks_of(modules_of(path, files)))


def summary(found: list[Difference]) -> list[str]:
    """How many differences there are, and what to do about them."""
    if not found:
        return ["no differences"]
    counts = {weight: sum(each.weight is weight for each in found) for weight in Weight}
    named = ", ".join(f"{count} {weight}" for weight, count in counts.items() if count)
    lines = [f"{len(found)} {'difference' if len(found) == 1 else 'differences'}: {named}"]
    if counts[Weight.REFUSED]:
        lines.append("This library cannot speak that contract: it uses what is refused.")
    elif counts[Weight.MATTERS]:
        lines.append("What matters is misunderstood until that contract is adopted: mxgw-py contract use FILE.protoset")
    else:
        lines.append("Nothing of it matters.")
    return lines


def main(arguments: list[str]) -> int:
    """Compares and prints; the exit code: 0 for no difference, 1 for some, 2 for a path that cannot be read."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write(
            "usage: python -m zb_mom_ww_mxgateway.contract PATH (a .protoset, or a folder of .proto files)\n"
        )
        return 2
    try:
        found = compared(Path(arguments[0]))
    except MxGatewayArgumentError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for line in (*(each.line() for each in found), *summary(found)):
        sys.stdout.write(f"{line}\n")
    return 1 if found else 0
