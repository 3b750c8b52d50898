import ArgumentParser
import Foundation
import JSON
import JSONSchema

/// `archipelago schema …`.
struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Work with JSON Schemas; needs no server.", subcommands: [Validate.self])

    struct Validate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a JSON document against a JSON Schema, as the network checks inputs and outputs.",
            discussion: """
                Exits 0 when the instance is valid, 1 when it is not, 2 when the schema cannot be used or a file cannot be read. \
                Each violation is a line: the place in the instance as a JSON pointer, and what is wrong there.

                Nothing is fetched: a schema that refers to others finds them with --documents only.

                  archipelago schema validate input.schema.json input.json
                  archipelago schema validate s.json i.json --documents http://localhost:1234/=schemas
                """)
        @Argument(help: "The file with the schema.") var schema: String
        @Argument(help: "The file with the instance.") var instance: String
        @Flag(help: "Let 'format' decide too, not only inform.") var assertFormats = false
        @Option(help: "BASE=DIR: every .json file below DIR is the document of BASE and its path. May be repeated.")
        var documents: [String] = []
        @OptionGroup var output: OutputOptions

        func run() throws {
            let violations: [SchemaViolation]
            do {
                violations = try check()
            } catch let unusable as Unusable {
                if output.json { Terminal.say(["error": unusable.json]) }
                throw CommandFailure(.usage, Terminal.printable(unusable.message))
            }
            let rows = violations.map { violation -> JSONValue in
                [
                    "instance_pointer": .string(violation.instancePointer), "keyword_pointer": .string(violation.keywordPointer),
                    "message": .string(violation.message),
                ]
            }
            output.show(
                ["valid": .bool(violations.isEmpty), "violations": .array(rows)],
                violations.isEmpty ? ["valid"] : violations.map { "\($0.instancePointer.isEmpty ? "(root)" : $0.instancePointer): \($0.message)" })
            if !violations.isEmpty { throw ExitCode(CommandExit.failed.rawValue) }
        }

        private func check() throws -> [SchemaViolation] {
            let found = try SchemaDocumentFolders.read(documents)
            var options = SchemaOptions()
            options.assertsFormats = assertFormats
            let document = try Unusable.read(schema, as: "schema")
            let value = try Unusable.read(instance, as: "instance")
            do {
                return try Schema(document, documents: SchemaDocuments(found), options: options).violations(in: value)
            } catch {
                throw Unusable("schema", code: error.code.rawValue, pointer: error.pointer, "\(schema) cannot be used: \(error.message)")
            }
        }
    }
}

/// What keeps a check from being made: which of the files, the schema's code where it is the schema, where in it, and why.
struct Unusable: Error {
    let what: String
    let code: String?
    let pointer: String?
    let reason: String

    init(_ what: String, code: String? = nil, pointer: String? = nil, _ reason: String) {
        self.what = what
        self.code = code
        self.pointer = pointer
        self.reason = reason
    }

    var message: String { reason + (pointer.map { " (at \($0.isEmpty ? "the root" : $0))" } ?? "") }

    var json: JSONValue { ["what": .string(what), "code": .optional(code), "pointer": .optional(pointer), "message": .string(reason)] }

    /// The JSON document in a file.
    static func read(_ path: String, as what: String) throws -> JSONValue {
        guard let data = FileManager.default.contents(atPath: path) else { throw Unusable(what, "There is no readable file '\(path)'.") }
        do {
            return try JSONValue(parsing: data)
        } catch {
            throw Unusable(what, "\(path) is not JSON: \(error.description).")
        }
    }
}

/// Folders whose files are documents that schemas refer to, each by a base address.
enum SchemaDocumentFolders {
    /// Chosen: far more than any family of schemas; keeps a mistaken `http://x/=/` from reading a whole disk.
    private static let filesMax = 10_000

    /// Every document of `BASE=DIR` texts, by its address.
    static func read(_ folders: [String]) throws -> [String: JSONValue] {
        var documents: [String: JSONValue] = [:]
        for folder in folders {
            let (base, directory) = try parsed(folder)
            for path in try files(below: directory) {
                let value = try Unusable.read(directory + "/" + path, as: "documents")
                let address = address(base, path)
                guard documents.updateValue(value, forKey: address) == nil else {
                    throw Unusable("documents", "\(address) is named by two of the --documents; leave one out.")
                }
            }
        }
        return documents
    }

    /// The base and the folder of `BASE=DIR`; the base ends at the first equals sign.
    static func parsed(_ text: String) throws -> (base: String, directory: String) {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex, text.index(after: equals) < text.endIndex else {
            throw Unusable("documents", "--documents takes BASE=DIR, such as http://localhost:1234/=schemas, not '\(text)'.")
        }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    /// The base and the path with exactly one slash between them; what cannot stand in an address is escaped.
    static func address(_ base: String, _ path: String) -> String {
        var base = Substring(base)
        while base.last == "/" { base = base.dropLast() }
        return "\(base)/\(path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path)"
    }

    /// The paths of all `.json` files below a folder, relative to it, in a fixed order.
    private static func files(below directory: String) throws -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isFolder), isFolder.boolValue,
            let walk = FileManager.default.enumerator(atPath: directory)
        else { throw Unusable("documents", "There is no folder '\(directory)'.") }
        var paths: [String] = []
        for case let path as String in walk where path.hasSuffix(".json") && walk.fileAttributes?[.type] as? FileAttributeType != .typeDirectory {
            guard paths.count < filesMax else { throw Unusable("documents", "'\(directory)' has more than \(filesMax) .json files.") }
            paths.append(path)
        }
        return paths.sorted()
    }
}
