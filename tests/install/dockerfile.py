"""Builds the image of a Dockerfile without an engine, and runs a command in it:

    dockerfile.py FILE CONTEXT WORK IMAGE=ROOT... -- COMMAND...

ROOT is the directory with an image's files. Instead of an image's ENV variables, those of this process are used. Each
stage is an overlay on such a directory, made in WORK, so that nothing outside WORK changes. Needs root.
Only the instructions that packaging/docker uses are supported; others are errors.
"""

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys

# <linux/sched.h>
CLONE_NEWNS = 0x20000


def main():
    # All mounts end with this process; others do not see them.
    if ctypes.CDLL(None).unshare(CLONE_NEWNS) != 0:
        sys.exit("no right to a mount namespace")
    mount("--make-rprivate", "/")
    file, context, work, *rest = sys.argv[1:]
    split = rest.index("--")
    images = dict(word.split("=", 1) for word in rest[:split])
    stage = Build(context, work, images).run(instructions(file))
    sys.exit(stage.run(stage.entrypoint + rest[split + 1 :]))


def instructions(file):
    """Yields each instruction as its name, its options and the rest of its text."""
    with open(file, encoding="utf-8") as lines:
        text = "".join(line for line in lines if not line.startswith("#"))
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            name, text = line.strip().split(None, 1)
            options = {}
            while text.startswith("--"):
                option, text = text.split(None, 1)
                key, value = option[2:].split("=", 1)
                options[key] = value
            yield name, options, text.strip()


class Stage:
    """A directory with the files of an image, to which instructions add."""

    def __init__(self, image, place):
        self.root = f"{place}/root"
        self.workdir = "/"
        self.entrypoint = []
        for folder in ("root", "upper", "scratch"):
            os.makedirs(f"{place}/{folder}")
        layers = f"lowerdir={image},upperdir={place}/upper,workdir={place}/scratch"
        mount("-t", "overlay", "-o", layers, "overlay", self.root)
        for name in ("proc", "dev"):
            os.makedirs(self.inside(name), exist_ok=True)
            mount("--rbind", f"/{name}", self.inside(name))
        # As an engine does: inside, names are resolved as on the host.
        for name in ("etc/resolv.conf", "etc/hosts"):
            if os.path.exists(f"/{name}"):
                os.makedirs(self.inside("etc"), exist_ok=True)
                shutil.copyfile(f"/{name}", self.inside(name))

    def inside(self, path):
        return os.path.normpath(f"{self.root}/{os.path.join(self.workdir, path)}")

    def run(self, words, stdout=None):
        chroot = ["chroot", self.root, "/bin/sh", "-c", 'cd "$0" && exec "$@"', self.workdir]
        return subprocess.call(chroot + words, stdout=stdout)


class Build:
    def __init__(self, context, work, images):
        self.context, self.work, self.images = context, work, images
        self.arguments, self.stages = {}, {}
        self.stage = None

    def run(self, steps):
        for name, options, text in steps:
            print(f"{name} {text}", file=sys.stderr)
            getattr(self, f"do_{name.lower()}")(text, **options)
        return self.stage

    def do_arg(self, text):
        name, _, default = text.partition("=")
        self.arguments[name] = default

    def do_from(self, text):
        image, *name = text.split()
        image = re.sub(r"\$\{?(\w+)\}?", lambda match: self.arguments[match[1]], image)
        self.stage = Stage(self.images[image], f"{self.work}/{len(self.stages)}")
        self.stages[name[1] if name else ""] = self.stage

    def do_run(self, text, mount=""):
        folder = None
        if mount:
            values = dict(value.split("=") for value in mount.split(","))
            folder = self.stage.inside(values["target"])
            os.makedirs(folder)
            bind(self.stages[values["from"]].root, folder)
        status = self.stage.run(["/bin/sh", "-c", text], stdout=sys.stderr)
        if folder:
            subprocess.check_call(["umount", folder])
            os.rmdir(folder)
        if status:
            sys.exit(f"RUN failed with status {status}: {text}")

    def do_copy(self, text, **options):
        path, target = text.split()
        target = self.stage.inside(target)
        if "from" in options:
            path = self.stages[options["from"]].inside(path)
            subprocess.check_call(["cp", "-a", f"{path}/.", target])
        else:
            path = os.path.normpath(f"{self.context}/{path}")
            shutil.copytree(path, target, symlinks=True, dirs_exist_ok=True, ignore=self.ignored())

    def ignored(self):
        """What .dockerignore lists: NAME of the context, or **/NAME in every folder."""
        with open(f"{self.context}/.dockerignore", encoding="utf-8") as file:
            patterns = file.read().split()
        everywhere = {pattern[3:] for pattern in patterns if pattern.startswith("**/")}
        at_top = set(patterns)
        return lambda folder, names: [
            name
            for name in names
            if name in everywhere or (os.path.samefile(folder, self.context) and name in at_top)
        ]

    def do_workdir(self, text):
        self.stage.workdir = text
        os.makedirs(self.stage.inside(""), exist_ok=True)

    def do_entrypoint(self, text):
        self.stage.entrypoint = json.loads(text)

    def do_cmd(self, text):
        json.loads(text)


def mount(*words):
    subprocess.check_call(["mount", *words])


def bind(source, target):
    mount("--bind", source, target)


if __name__ == "__main__":
    main()
