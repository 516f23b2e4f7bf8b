"""The dependencies of the program, for `sbom` and `notices`. Read from Cargo and the lock file, without network."""

import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The targets in deny.toml.
TARGETS = re.findall(r'^    "([a-z0-9_-]+)",$', (ROOT / "deny.toml").read_text(), re.M)


def metadata(target):
    command = ["cargo", "metadata", "--locked", "--offline", "--format-version=1", f"--filter-platform={target}"]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def dependencies_of(targets):
    """Returns the root package's ID, the IDs of the packages that each package links (no test or build dependencies), and all packages by ID."""
    linked, packages = {}, {}
    for target in targets or TARGETS:
        graph = metadata(target)
        packages |= {package["id"]: package for package in graph["packages"]}
        for node in graph["resolve"]["nodes"]:
            normal = [d["pkg"] for d in node["deps"] if any(kind["kind"] is None for kind in d["dep_kinds"])]
            linked.setdefault(node["id"], set()).update(normal)
    return graph["resolve"]["root"], linked, packages


def reachable(root, linked):
    seen, pending = set(), [root]
    while pending:
        package = pending.pop()
        if package not in seen:
            seen.add(package)
            pending.extend(linked[package])
    return seen


def is_macro(package):
    return any("proc-macro" in target["kind"] for target in package["targets"])


def shipped(targets):
    """Returns the packages whose code is in the program, sorted by name, without the program itself."""
    root, linked, packages = dependencies_of(targets)
    linked = {package: set() if is_macro(packages[package]) else others for package, others in linked.items()}
    found = [packages[package] for package in reachable(root, linked) if package != root and not is_macro(packages[package])]
    return sorted(found, key=lambda package: (package["name"], package["version"]))


def runtimes(targets):
    """Returns the libraries that no lock file contains but a static musl program does: name, version, licence, source and owner of each."""
    if not any(target.endswith("-linux-musl") for target in targets or TARGETS):
        return []
    # The version that Rust includes, and that packaging/toolchain downloads.
    return [("musl", "1.2.5", "MIT", "https://musl.libc.org", "2005-2020 Rich Felker, et al.")]
