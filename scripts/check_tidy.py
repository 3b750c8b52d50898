"""Finds what the project's conventions forbid in Swift sources; prints FILE:LINE and the rule."""
import pathlib
import re
import sys

# Pattern, rule, and where it does not hold.
EVERYWHERE = [
    (r"\bTask\.detached\b", "use structured concurrency instead of Task.detached", ()),
    (r"\b(TODO|FIXME|XXX)\b", "finish it, or write it down in docs/SPECIFICATION.md", ()),
]
SOURCES = [
    (r"\btry!|\bas! |\bfatalError\(", "throw, or use precondition for a programmer's mistake", ()),
    (
        r"\bDate\(\)|\bUUID\(\)|\.random\(|ProcessInfo\.|ContinuousClock\(\)",
        "time, identifiers, chance and the environment come in through the initialiser",
        # Executables and live adapters: the edges where the machine is asked.
        ("Sources/archipelago/", "Sources/Sandbox/", "Sources/WebSockets/", "Sources/Scanning/", "Sources/Outbound/", "Sources/OCI/Registry/RegistryTiming+Live",
         "Sources/Coordinator/Scans/StoreLayouts"),
    ),
]
# Pattern and the word that a comment on the line, or within seven lines before it, must hold.
EXPLAINED = [
    (r"@unchecked Sendable|nonisolated\(unsafe\)|@preconcurrency", "Safety"),
    (r"\bTask \{", "Unstructured:"),
]


def main():
    mistakes = []
    for path in sorted([*pathlib.Path("Sources").rglob("*.swift"), *pathlib.Path("Tests").rglob("*.swift")]):
        lines = path.read_text(encoding="utf-8").split("\n")
        is_source = path.parts[0] == "Sources"
        for number, line in enumerate(lines, 1):
            code = line.split("//")[0]
            for pattern, rule, exempt in EVERYWHERE + (SOURCES if is_source else []):
                text = line if "TODO" in pattern else code
                if re.search(pattern, text) and not str(path).startswith(tuple(exempt) or ("\0",)):
                    mistakes.append(f"{path}:{number}: {rule}")
            for pattern, word in EXPLAINED if is_source else []:
                near = "\n".join(lines[max(0, number - 8):number + 2])
                if re.search(pattern, code) and word not in near:
                    mistakes.append(f"{path}:{number}: needs a comment with '{word}' saying why it holds")
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    sys.exit(1 if mistakes else 0)


main()
