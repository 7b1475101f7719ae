#!/bin/sh
# azd runs this: see docs/deploy.md. Arguments go on, so --dry-run works where the step has one.
set -eu
cd "$(dirname "$0")/../.."
exec "${PYTHON:-python3}" -m scripts.deployment after-deploy "$@"
