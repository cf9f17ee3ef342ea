"""The part of the shell that needs a terminal: prompt, watch view, Python pane."""
