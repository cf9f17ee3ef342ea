"""``mxgw-py``: one-shot commands with stable JSON.

No output form of its own and no state between commands. May import the library and the console.
"""
