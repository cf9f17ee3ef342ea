"""The command language: tokens, literals, variables, patterns, argument types, declared commands.

Nothing here runs a command or knows a connection. May import ``output``.
"""
