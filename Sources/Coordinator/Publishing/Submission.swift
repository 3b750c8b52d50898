public import Domain
import JSON
public import Storage

/// One version of a Cargo on its way to the registry, as services and faces see it.
public struct Submission: Sendable, Hashable {
    /// As it is stored.
    public let row: SubmissionRow
    /// The Cargo's slug.
    public let slug: String
    /// What the publisher says of it.
    public let fields: SubmissionFields
    /// Where it stands.
    public let state: SubmissionState
    /// The level given, once approved.
    public let trustLevel: TrustLevel?
    /// What is told of the image's signature; `nil` where none was found valid.
    public let signature: SignatureSummary?

    init(row: SubmissionRow, slug: String) throws {
        guard let state = SubmissionState(rawValue: row.state), case .object(let object)? = try? JSONValue(parsing: row.fields) else {
            throw StorageError(.unexpectedShape, "submission \(row.id) cannot be read")
        }
        self.row = row
        self.slug = slug
        self.state = state
        fields = SubmissionFields.read(object).fields
        trustLevel = row.trustLevel.flatMap(TrustLevel.init)
        signature = try row.signature.map(SignatureSummary.init(stored:))
    }

    /// Reads a submission inside a transaction; throws `not_found` when there is none.
    static func find(_ id: Int, in reader: any SQLReader) throws -> Submission {
        guard let row = try reader.submission(id: id), let workload = try reader.workload(id: row.workloadID) else {
            throw ServiceError.notFound("submission \(id)")
        }
        return try Submission(row: row, slug: workload.slug)
    }

    /// The state after an action.
    ///
    /// - Throws: `conflict` (`state_conflict`) with the state and the allowed actions when it is not allowed now.
    func state(after action: SubmissionAction) throws -> SubmissionState {
        if let next = state.after(action) { return next }
        throw stateConflict(action)
    }

    func stateConflict(_ action: SubmissionAction) -> ServiceError {
        let allowed = state.allowedActions.map(\.rawValue)
        return ServiceError(
            .conflict, code: "state_conflict",
            "Submission \(row.id) is \(state.rawValue), so it cannot be changed by '\(action.rawValue)'; allowed: \(allowed.isEmpty ? "nothing" : allowed.joined(separator: ", ")).",
            context: ["state": .string(state.rawValue), "allowed_actions": .array(allowed.map(JSONValue.string))])
    }
}
