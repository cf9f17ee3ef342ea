"""All that needs a terminal: prompt, completion, toolbar, watch view, dialogs, Python pane.

No command and no output format. Nothing of prompt_toolkit or ptpython is used elsewhere.
May import ``language``, ``output``, ``process``, ``python``, ``scripts`` and ``state``.
"""
