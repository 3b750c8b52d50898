import Domain
public import JSON
import Storage

/// What administrators do with published Cargos.
public struct Moderation: Sendable {
    private let moves: SubmissionMoves
    private let surroundings: Surroundings

    /// The use cases over a database's submissions.
    public init(moves: SubmissionMoves, surroundings: Surroundings) {
        self.moves = moves
        self.surroundings = surroundings
    }

    private static let reasonLengthMax = 2000

    /// Takes a Cargo out of the registry, from a request body with `reason`; jobs that run go on, new ones are refused.
    public func suspend(_ object: JSONObject, slug: String, by principal: Principal) async throws -> PublishedCargo {
        try await move(slug, .suspend, reason: try Self.reason(object, isRequired: true), by: principal)
    }

    /// Brings a suspended Cargo back, from a request body with an optional `reason`.
    public func unsuspend(_ object: JSONObject, slug: String, by principal: Principal) async throws -> PublishedCargo {
        try await move(slug, .unsuspend, reason: try Self.reason(object, isRequired: false), by: principal)
    }

    private func move(_ slug: String, _ action: SubmissionAction, reason: String, by principal: Principal) async throws -> PublishedCargo {
        try principal.require(.admin)
        let act = SubmissionMoves.Act(actorID: principal.accountID, at: surroundings.now(), note: reason)
        return try await moves.commit { writer in
            let cargo = try Registry.cargo(slug: slug, in: writer)
            let moved = try moves.move(cargo.submission, action, act, in: writer)
            if moved.state == .published { try Registry.show(moved, in: writer) } else { try Registry.hide(moved, in: writer) }
            return try Registry.cargo(slug: slug, in: writer)
        }
    }

    private static func reason(_ object: JSONObject, isRequired: Bool) throws -> String {
        var reader = FieldReader(object)
        let reason = reader.text("reason", lengthMax: reasonLengthMax)
        if isRequired { _ = reader.required("reason", reason) }
        reader.refuseUnknown()
        guard reader.mistakes.isEmpty else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
        return reason ?? ""
    }
}
