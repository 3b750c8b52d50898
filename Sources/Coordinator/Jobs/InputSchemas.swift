import Domain
import JSON
import JSONSchema
import Storage
import Synchronization

/// Checks inputs of jobs against the schemas of their Cargos; compiled schemas are kept, the least recently used give way.
final class InputSchemas: Sendable {
    /// Chosen: a few hundred Cargos take most jobs; a compiled schema takes some kilobytes.
    private static let keptMax = 256

    private struct Kept {
        var schemas: [Int: (schema: Schema, used: Int)] = [:]
        var uses = 0
    }

    private let kept = Mutex(Kept())

    /// Throws `invalid` with each violation's place in the request when an input does not fit.
    ///
    /// A schema that can no longer be used, or costs too much for this input, is a refusal too: an input that could not be checked
    /// did not pass.
    ///
    /// - Parameter pointer: where the input stands in the request.
    func check(_ input: JSONObject, against terms: JobTerms, at pointer: String) throws {
        guard let text = terms.inputSchema else { return }
        let violations: [SchemaViolation]
        do {
            violations = try schema(of: terms.submissionID, text).violations(in: .object(input))
        } catch let error as SchemaError {
            throw ServiceError.invalid([Problem(pointer, "cannot be checked against the Cargo's input_schema: \(error.message)")])
        }
        guard violations.isEmpty else {
            throw ServiceError.invalid(violations.map { Problem(pointer + $0.instancePointer, $0.message) })
        }
    }

    private func schema(of id: Int, _ text: String) throws -> Schema {
        let found = kept.withLock { kept -> Schema? in
            kept.uses += 1
            guard let entry = kept.schemas[id] else { return nil }
            kept.schemas[id] = (entry.schema, kept.uses)
            return entry.schema
        }
        if let found { return found }
        let schema = try Schema(try JSONValue(parsing: text))
        kept.withLock { kept in
            kept.schemas[id] = (schema, kept.uses)
            if kept.schemas.count > Self.keptMax, let oldest = kept.schemas.min(by: { $0.value.used < $1.value.used })?.key {
                kept.schemas[oldest] = nil
            }
        }
        return schema
    }
}
