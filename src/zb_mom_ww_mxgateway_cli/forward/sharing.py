"""Shares of a tag list: which of several forwarders forwards a tag."""

from collections.abc import Sequence
from hashlib import blake2b

from zb_mom_ww_mxgateway.tag_names import tag_key


def share_of(name: str, peers: Sequence[str], tags: Sequence[str]) -> list[str]:
    """Return the tags that the forwarder `name` forwards; all of them without `peers`.

    Each tag belongs to the peer with the highest hash of both names (rendezvous hashing). So every peer computes the
    same shares, and a peer that comes or goes moves its own share alone. Letter case counts as for the gateway.
    """
    if not peers:
        return list(tags)
    hashes = [(peer, blake2b(peer.encode(), digest_size=32).digest()) for peer in sorted(set(peers))]

    def owner(tag: str) -> str:
        named = tag_key(tag).encode()
        return max(hashes, key=lambda peer: blake2b(named, digest_size=8, key=peer[1]).digest())[0]

    return [tag for tag in tags if owner(tag) == name]
