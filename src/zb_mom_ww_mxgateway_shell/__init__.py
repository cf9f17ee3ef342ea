"""``mxgw-shell``: a stateful operator shell on one live session, its command files and its Python pane.

Each room says in its ``__init__`` what belongs there and which rooms it may import; the program begins in ``__main__``.
"""
