import Domain
import JSON
import JSONSchema

/// The schemas that a publisher hands in, judged before anything relies on them.
enum SubmittedSchemas {
    /// Chosen: room for any schema people write; a larger one costs every job that is checked against it.
    static let bytesMax = 256 << 10

    /// What makes the schemas of a submission unusable, each with its place in the submission; empty while they are missing.
    static func problems(of fields: SubmissionFields) -> [Problem] {
        problems(of: fields.inputSchema, at: "/input_schema") + problems(of: fields.outputSchema, at: "/output_schema")
    }

    /// What makes one schema unusable: against the meta-schema of draft 2020-12, references that lead nowhere, patterns that cannot be
    /// compiled, sizes beyond the limits.
    static func problems(of text: String?, at pointer: String) -> [Problem] {
        guard let text else { return [] }
        guard text.utf8.count <= bytesMax else { return [Problem(pointer, "must be at most \(bytesMax) bytes of JSON")] }
        guard let document = try? JSONValue(parsing: text) else { return [Problem(pointer, "is not JSON")] }
        return Schema.problems(of: document).map { Problem(pointer + $0.instancePointer, $0.message) }
    }
}
