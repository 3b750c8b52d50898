import ArgumentParser
import Foundation
import JSON
import Web

/// `archipelago openapi`.
struct OpenAPICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi", abstract: "Print the description of the HTTP API (OpenAPI 3.1, JSON); the server has it at /api/v1/openapi.json.")

    func run() throws {
        // Indented by Foundation for readers; the members are sorted, so that a change shows as a change.
        let object = try JSONSerialization.jsonObject(with: Data(OpenAPIDocument.document.bytes))
        let text = try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        FileHandle.standardOutput.write(text + Data("\n".utf8))
    }
}
