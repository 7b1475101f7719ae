"""If-Match of a change: the version of the settings that the caller has read."""

from __future__ import annotations

import re

import azure.functions as func

from shared.errors import InvalidInputError, PreconditionError

# The ETag of an answer that was compressed ends in -gzip; it stands for the same version.
_VERSION = re.compile(r'(?:W/)?"(\d{1,10})(?:-gzip)?"')


def base_version(req: func.HttpRequest) -> int:
    """The version named by If-Match. Raises PreconditionError without it or for the ETag of something else."""
    given = req.headers.get("if-match", "").strip()
    if not given:
        raise PreconditionError("If-Match is required: send the ETag of the settings that you have read.")
    found = _VERSION.fullmatch(given)
    if found is None:
        raise InvalidInputError("If-Match is one ETag, as GET settings gave it", "$.If-Match")
    return int(found[1])
