"""``mxgw-shell``: a stateful operator shell on one live session, its command files and its Python pane."""
