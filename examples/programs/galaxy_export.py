"""Exports the galaxy to CSV: every attribute of every object, page by page, whole or not at all.

python galaxy_export.py HOST:PORT FILE.csv [GLOB]
"""

import asyncio
import csv
import os
import sys
from pathlib import Path

from zb_mom_ww_mxgateway import GatewayClient, MxGatewayGalaxyChangedError


async def export(client: GatewayClient, file: Path, glob: str) -> int:
    beside = file.with_name(f"{file.name}.part")
    with beside.open("w", newline="", encoding="utf-8") as opened:
        rows = csv.writer(opened)
        rows.writerow(["object", "template", "tag", "type", "security", "historized", "alarm", "array"])
        count = 0
        async for item in client.galaxy.discover(tag_name_glob=glob):
            template = item.template_chain[0] if item.template_chain else ""
            for each in item.attributes:
                length = each.array_dimension if each.is_array else ""
                flags = [each.security_classification, each.is_historized, each.is_alarm, length]
                rows.writerow([item.tag_name, template, each.full_tag_reference, each.data_type_name, *flags])
                count += 1
    beside.replace(file)
    return count


async def main(endpoint: str, file: Path, glob: str) -> None:
    async with await GatewayClient.connect(endpoint, api_key=os.environ.get("MXGATEWAY_API_KEY")) as client:
        for _ in range(3):
            try:
                print(f"{await export(client, file, glob)} attributes in {file}")
                return
            except MxGatewayGalaxyChangedError as error:
                print(f"begun again: {error}")
        sys.exit("the galaxy was deployed anew each time it was read")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""))
