"""The widgets' script files as the app serves them: read and compressed once, named by a digest of all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path

from msgspec import Struct

from shared.errors import NotFoundError
from shared.negotiation import accepts_gzip, encoded_tag, entity_tag, gzip, is_unchanged

FOLDER = Path(__file__).resolve().parent.parent / "web"
CONTENT_TYPE = "text/javascript; charset=utf-8"
FOREVER = "public, max-age=31536000, immutable"


class WebFile(Struct, frozen=True):
    """One script, plain and compressed."""

    content: bytes
    packed: bytes


class WebFiles(Struct, frozen=True):
    """`version`: 16 hexadecimal digits, another one whenever any file changes; `files` by name."""

    version: str
    files: dict[str, WebFile]

    def file(self, name: str) -> WebFile:
        """A file. Raises NotFoundError for every name that is not one of them, paths included."""
        found = self.files.get(name)
        if found is None:
            raise NotFoundError("There is no such file.")
        return found


class WebAnswer(Struct, frozen=True):
    """Status, body and headers of an answer."""

    status: HTTPStatus
    body: bytes
    headers: dict[str, str]


@cache
def web_files() -> WebFiles:
    """All scripts of `web/`. They are one program, so they have one version: files of two versions never meet in a browser."""
    contents = {path.name: path.read_bytes() for path in sorted(FOLDER.glob("*.js"))}
    digest = hashlib.blake2b(digest_size=8)
    for name, content in contents.items():
        digest.update(name.encode() + b"\0" + len(content).to_bytes(8, "big") + content)
    return WebFiles(digest.hexdigest(), {name: WebFile(one, gzip(one)) for name, one in contents.items()})


def present_version(name: str) -> WebAnswer:
    """Where the file's present version is; asked anew each time, and the only thing that is. Raises NotFoundError."""
    found = web_files()
    found.file(name)
    # Relative, so that it is right under whatever name and prefix the caller knows the app by.
    return WebAnswer(
        HTTPStatus.FOUND, b"", {"Location": f"{found.version}/{name}", "Cache-Control": "public, no-cache"}
    )


def versioned(version: str, name: str, headers: Mapping[str, str]) -> WebAnswer:
    """A file, to be kept for good. Raises NotFoundError.

    For another version, while instances of two run, the present file, not to be kept. `headers`: the request's, by
    lower-case name.
    """
    found = web_files()
    file = found.file(name)
    packed = accepts_gzip(headers.get("accept-encoding", ""))
    tag = entity_tag(file.content)
    answer = {
        # In a 304 as well: what stands there replaces what the browser has kept, and a script of another type is refused.
        "Content-Type": CONTENT_TYPE,
        "ETag": encoded_tag(tag, "gzip") if packed else tag,
        "Cache-Control": FOREVER if version == found.version else "no-store",
        "Vary": "Accept-Encoding",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if is_unchanged(headers.get("if-none-match", ""), answer["ETag"]):
        return WebAnswer(HTTPStatus.NOT_MODIFIED, b"", answer)
    if packed:
        answer["Content-Encoding"] = "gzip"
    return WebAnswer(HTTPStatus.OK, file.packed if packed else file.content, answer)
