"""Empty libraries in place of CUDA's, so that a wheel of PyTorch that is linked with CUDA runs on the processor alone.

    python cuda_stubs.py SITE_PACKAGES/torch/lib

Every needed library that neither the wheel nor the system has becomes a small one, whose functions all return 100, CUDA's
number for "no device". Needs gcc, nm and readelf.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

NO_DEVICE = 100
CUDA_NAME = re.compile(r"_{0,2}(cu|nccl|nvrtc|nvshmem|nv|nvtx)", re.IGNORECASE)


def lines(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def needed(library):
    return {match[1] for line in lines("readelf", "-d", library) if (match := re.search(r"NEEDED.*\[(.+)\]", line))}


def version_owners(library):
    """Which needed library a symbol version belongs to."""
    owners, file = {}, None
    for line in lines("readelf", "-V", library):
        if match := re.search(r"File: (\S+)", line):
            file = match[1]
        elif file and (match := re.search(r"Name: (\S+)\s+Flags", line)):
            owners[match[1]] = file
    return owners


def symbols(library):
    """The symbols that are wanted, with their versions, and those that are defined."""
    wanted, defined = {}, set()
    for line in lines("nm", "-D", "--with-symbol-versions", library):
        *_, kind, name = line.split()
        name, _, version = name.partition("@")
        if kind == "U":
            wanted[name] = version.lstrip("@")
        elif kind not in "wv":
            defined.add(name)
    return wanted, defined


def build(folder, name, wanted):
    """One library with these symbols, each under its version."""
    versions = {}
    for symbol, version in wanted:
        versions.setdefault(version, []).append(symbol)
    with tempfile.TemporaryDirectory() as work:
        source, script = pathlib.Path(work, "stub.c"), pathlib.Path(work, "versions")
        source.write_text("".join(f"long {symbol}(void) {{ return {NO_DEVICE}; }}\n" for symbol, _ in wanted))
        named = {version: names for version, names in versions.items() if version}
        script.write_text("".join(f"{version} {{ global: {'; '.join(names)}; }};\n" for version, names in named.items()))
        command = ["gcc", "-shared", "-fPIC", "-w", "-fno-builtin", f"-Wl,-soname,{name}", str(source)]
        command += [f"-Wl,--version-script={script}"] if named else []
        subprocess.run([*command, "-o", str(folder / name)], check=True)
    print(f"{name}: {len(wanted)} functions")


def main(folder):
    libraries = [path for path in folder.glob("*.so*") if path.is_file()]
    present = {path.name for path in libraries} | {line.split()[0] for line in lines("/sbin/ldconfig", "-p")[1:]}
    missing = sorted(set().union(*map(needed, libraries)) - present)
    owners, wanted, defined = {}, {}, set()
    for library in libraries:
        owners |= version_owners(library)
        its_wanted, its_defined = symbols(library)
        wanted |= its_wanted
        defined |= its_defined
    parts = {name: [] for name in missing}
    for symbol, version in wanted.items():
        owner = owners.get(version) if version else (missing[0] if missing and CUDA_NAME.match(symbol) else None)
        if owner in parts and symbol not in defined:
            parts[owner].append((symbol, version))
    for name, symbols_of_it in parts.items():
        build(folder, name, symbols_of_it)


main(pathlib.Path(sys.argv[1]))
