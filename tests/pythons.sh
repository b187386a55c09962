#!/bin/sh
# Prints the path of every Python from 3.10 on that runs here, one a line: those on the path, then those of pyenv.
# 3.10 is last, since the newest Polars does not support it.
for minor in 11 12 13 14 15 16 17 18 19 20 10; do
	for python in python3.$minor "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.$minor.*/bin/python3.$minor; do
		# A command of pyenv may exist and not run.
		if "$python" -c "import sys; sys.exit(sys.version_info[:2] != (3, $minor))" 2> /dev/null; then
			command -v "$python"
			break
		fi
	done
done
