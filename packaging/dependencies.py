"""What the program is made of, for `sbom` and `notices`: asked of Cargo, offline, by the lock file."""

import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
# As in deny.toml.
TARGETS = re.findall(r'^    "([a-z0-9_-]+)",$', (ROOT / "deny.toml").read_text(), re.M)


def metadata(target):
    command = ["cargo", "metadata", "--locked", "--offline", "--format-version=1", f"--filter-platform={target}"]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def edges(targets):
    """Each package's identity with its own and those of what is linked into it, tests and build tools left out; and all packages."""
    below, packages = {}, {}
    for target in targets or TARGETS:
        told = metadata(target)
        packages |= {package["id"]: package for package in told["packages"]}
        for node in told["resolve"]["nodes"]:
            linked = [d["pkg"] for d in node["deps"] if any(kind["kind"] is None for kind in d["dep_kinds"])]
            below.setdefault(node["id"], set()).update(linked)
    return told["resolve"]["root"], below, packages


def reached(root, below):
    seen, left = set(), [root]
    while left:
        here = left.pop()
        if here not in seen:
            seen.add(here)
            left.extend(below[here])
    return seen


def is_macro(package):
    return any("proc-macro" in target["kind"] for target in package["targets"])


def shipped(targets):
    """The packages whose code is in the program, by name; the program's own is not among them."""
    root, below, packages = edges(targets)
    below = {name: set() if is_macro(packages[name]) else under for name, under in below.items()}
    found = [packages[name] for name in reached(root, below) if name != root and not is_macro(packages[name])]
    return sorted(found, key=lambda package: (package["name"], package["version"]))


def runtimes(targets):
    """What no lock file names: the libraries that a static program of musl contains, as names with version, licence, source and owner."""
    if not any(target.endswith("-linux-musl") for target in targets or TARGETS):
        return []
    # The version that Rust ships, and that packaging/toolchain takes.
    return [("musl", "1.2.5", "MIT", "https://musl.libc.org", "2005-2020 Rich Felker, et al.")]
