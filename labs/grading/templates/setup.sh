#!/usr/bin/env bash
# Gradescope runs this once, as root, when the autograder's image is built.
set -euo pipefail

apt-get update
apt-get install -y --no-install-recommends bubblewrap python3 python3-venv
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or later is needed: choose a newer base image (Ubuntu 24.04) for this autograder." >&2
    exit 1
}
python3 -m venv /autograder/venv
# (Editable: the packages that pip would build are for students, without the solutions that the checks compare with.)
/autograder/venv/bin/pip install -e /autograder/source/lab

# Submissions run under a user id of their own, which must not read the checks.
chmod -R go-rwx /autograder/source /autograder/venv
