#!/bin/sh
# Finds a Python that the bundle has wheels for, and lets it install. PYTHON=/path/to/python chooses one.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
if [ -n "$PYTHON" ]; then
	if "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
		exec "$PYTHON" "$here/install.py" "$@"
	fi
	echo "install: PYTHON=$PYTHON is no Python 3.11 or later" >&2
	exit 1
fi
for python in python3.14 python3.13 python3.12 python3.11 python3; do
	version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
	if [ -n "$version" ] && grep -q "^$version linux" "$here/targets.txt"; then
		exec "$python" "$here/install.py" "$@"
	fi
done
echo "install: no Python was found that targets.txt lists; PYTHON=/path/to/python ./install.sh names one" >&2
exit 1
