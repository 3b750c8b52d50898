"""Checks bills of materials against their formats' own rules; prints what is wrong and exits 1.

    validate.py cyclonedx|spdx FILE...

CycloneDX: the JSON schema of the version that the document names, as the format's makers ship it in cyclonedx-python-lib.
SPDX 2.3: the reference parser and validator, spdx-tools.
"""
import json
import sys


def cyclonedx(path):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = open(path, encoding="utf-8").read()
    version = json.loads(text)["specVersion"]
    error = JsonStrictValidator(SchemaVersion.from_version(version)).validate_str(text)
    return [str(error).split("\n")[0]] if error else []


def spdx(path):
    from spdx_tools.spdx.parser.error import SPDXParsingError
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    if not path.endswith(".json"):
        return [f"{path} must end in .json"]
    try:
        document = parse_file(path)
    except SPDXParsingError as error:
        return error.get_messages()
    return [message.validation_message for message in validate_full_spdx_document(document)]


def main():
    check = {"cyclonedx": cyclonedx, "spdx": spdx}[sys.argv[1]]
    problems = [f"{path}: {problem}" for path in sys.argv[2:] for problem in check(path)]
    print("\n".join(problems) if problems else f"{len(sys.argv) - 2} valid")
    sys.exit(1 if problems or len(sys.argv) < 3 else 0)


main()
