"""``mxgw-py``: one-shot commands with stable JSON.

It adds no output form and keeps no state between commands. May import the library and the console.
"""
