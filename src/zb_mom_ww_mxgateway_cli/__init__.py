"""``mxgw-py``: one-shot commands with stable JSON, and the output forms the shell shares."""
