"""Compares the package's target graph with the table in docs/ARCHITECTURE.md.

    swift package dump-package | check_layers.py docs/ARCHITECTURE.md

Every target must have a row, every row a target; the imports of a row must be those of its target, and an import of ours
must stand in a lower row's layer or, within a layer, in an earlier row.
"""
import json
import re
import sys


def rows(path):
    """The table's rows: target name to (layer, imports of ours, imports from outside, place in the table)."""
    table = {}
    for line in open(path, encoding="utf-8"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 5 and re.fullmatch(r"\d .*", cells[0]):
            names = [set(filter(None, (n.strip() for n in cell.replace("–", "").split(",")))) for cell in cells[3:]]
            table[cells[1].strip("`")] = (int(cells[0][0]), names[0], names[1], len(table))
    return table


def graph():
    """The package's targets but tests: name to (imports of ours, products from outside)."""
    targets = {}
    package = json.load(sys.stdin)
    for target in package["targets"]:
        if target["type"] == "test" or (target.get("path") or "").startswith("Tests/"):
            continue
        ours, outside = set(), set()
        for dependency in target["dependencies"]:
            (ours if "byName" in dependency else outside).add(next(iter(dependency.values()))[0])
        if target["type"] == "system":
            outside.add(target["pkgConfig"])
        targets[target["name"]] = (ours, outside)
    return targets


def main():
    table, targets, mistakes = rows(sys.argv[1]), graph(), []
    for name in sorted(set(table) ^ set(targets)):
        mistakes.append(f"{name}: in the {'table' if name in table else 'package'} only")
    for name in sorted(set(table) & set(targets)):
        layer, ours, outside, place = table[name]
        for said, real, what in ((ours, targets[name][0], "ours"), (outside, targets[name][1], "outside")):
            if said != real:
                mistakes.append(f"{name}: imports ({what}) are {sorted(real)}, the table says {sorted(said)}")
        for other in ours & set(table):
            if (table[other][0], table[other][3]) >= (layer, place):
                mistakes.append(f"{name}: {other} does not stand below it")
    for mistake in mistakes:
        print(f"docs/ARCHITECTURE.md: {mistake}", file=sys.stderr)
    sys.exit(1 if mistakes else 0)


main()
