#!/usr/bin/env python3
"""Writes the wheel: packaging/wheel.py VERSION PLATFORM OUTPUT README PATH=FILE...

A wheel is a zip archive with metadata. PATH is where FILE goes below the folder that pip unpacks
into PREFIX: `scripts` into PREFIX/bin, executable, and `data` into PREFIX itself. Times and modes are
fixed, so that the same files give the same wheel.
"""

import base64
import hashlib
import sys
import zipfile

METADATA = """\
Metadata-Version: 2.1
Name: rigz
Version: {version}
Summary: Replaces zlib under existing programs, and compresses faster, on all processors
License: Zlib
Requires-Python: >=3.7
Keywords: zlib,gzip,deflate,compression,parallel
Classifier: License :: OSI Approved :: zlib/libpng License
Classifier: Operating System :: POSIX :: Linux
Classifier: Topic :: System :: Archiving :: Compression
Description-Content-Type: text/markdown

{readme}"""

WHEEL = """\
Wheel-Version: 1.0
Generator: rigz packaging/wheel.py
Root-Is-Purelib: false
"""


def main():
    version, platform, output, readme, *places = sys.argv[1:]
    info = f"rigz-{version}.dist-info"
    tags = "".join(f"Tag: py3-none-{tag}\n" for tag in platform.split("."))
    with open(readme, encoding="utf-8") as file:
        metadata = METADATA.format(version=version, readme=file.read())
    files = []
    for place in places:
        path, _, source = place.partition("=")
        with open(source, "rb") as file:
            files.append((f"rigz-{version}.data/{path}", file.read()))
    files.append((f"{info}/METADATA", metadata.encode()))
    files.append((f"{info}/WHEEL", (WHEEL + tags).encode()))

    record = f"{info}/RECORD"
    lines = [f"{path},{digest(data)},{len(data)}\n" for path, data in files] + [f"{record},,\n"]
    files.append((record, "".join(lines).encode()))
    with zipfile.ZipFile(f"{output}/rigz-{version}-py3-none-{platform}.whl", "w") as wheel:
        for path, data in files:
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            executable = ".data/scripts/" in path or ".so" in path
            entry.external_attr = (0o100755 if executable else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)
    print(f"{output}/rigz-{version}-py3-none-{platform}.whl")


def digest(data):
    code = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return f"sha256={code}"


if __name__ == "__main__":
    main()
