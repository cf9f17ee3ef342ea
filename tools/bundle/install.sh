#!/bin/sh
# Finds a Python that the bundle has wheels for, and lets it install. PYTHON=/path/to/python chooses one.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
for python in ${PYTHON:+"$PYTHON"} python3.14 python3.13 python3.12 python3.11 python3; do
	if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
		exec "$python" "$here/install.py" "$@"
	fi
	if [ -n "$PYTHON" ]; then break; fi
done
echo "install: no Python 3.11 or later was found; PYTHON=/path/to/python ./install.sh names one" >&2
exit 1
