import Foundation
import JSON
import Testing

@testable import JSONSchema

/// The official test suite, as far as it stands in Tests/Fixtures/jsonschema.
@Suite(.timeLimit(.minutes(5))) struct SuiteTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures/jsonschema"

    /// Every file of tests, by its path below the draft's folder.
    static let files: [String] = {
        let root = folder + "/draft2020-12"
        let all = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return all.filter { $0.hasSuffix(".json") }.sorted()
    }()

    /// Documents of the suite's remotes, served under the address that its README names.
    static let remotes = SchemaDocuments { uri in
        let base = "http://localhost:1234/"
        guard uri.hasPrefix(base), !uri.contains(".."),
            let data = FileManager.default.contents(atPath: folder + "/remotes/" + uri.dropFirst(base.count))
        else { return nil }
        return try? JSONValue(parsing: data)
    }

    @Test func theSuiteIsThere() { #expect(Self.files.count > 40) }

    @Test(arguments: files) func everyTestOfTheFileHasItsAnswer(file: String) throws {
        let data = try #require(FileManager.default.contents(atPath: Self.folder + "/draft2020-12/" + file))
        let options = SchemaOptions(assertsFormats: file.hasPrefix("optional/format/"))
        for group in try JSONValue(parsing: data).array ?? [] {
            let name = group["description"]?.string ?? ""
            let document = try #require(group["schema"])
            let schema: Schema
            do {
                schema = try Schema(document, documents: Self.remotes, options: options)
            } catch {
                Issue.record("\(name): \(error)")
                continue
            }
            for test in group["tests"]?.array ?? [] {
                let violations = try schema.violations(in: try #require(test["data"]))
                let expected = test["valid"] == .bool(true)
                #expect(violations.isEmpty == expected, "\(name): \(test["description"]?.string ?? ""): \(violations)")
            }
        }
    }

    /// Each schema of the suite that needs nothing special is itself no problem.
    @Test(arguments: files.filter { !$0.hasPrefix("optional/") }) func noSchemaOfTheSuiteIsAProblem(file: String) throws {
        let data = try #require(FileManager.default.contents(atPath: Self.folder + "/draft2020-12/" + file))
        for group in try JSONValue(parsing: data).array ?? [] {
            let problems = Schema.problems(of: try #require(group["schema"]), documents: Self.remotes)
            #expect(problems.isEmpty, "\(group["description"]?.string ?? "")")
        }
    }
}
