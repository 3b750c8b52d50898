/// How an Island's karma moves. Karma is an integer; a new Island has none.
public enum KarmaRule {
    /// Good work that earns one point. Source: the product's documentation.
    public static let earning: Duration = .seconds(3600)
    /// Below this an Island gets no new jobs. Chosen: two lost jobs of a new Island are bad luck, more are a pattern.
    public static let least = -20
    /// One point comes back in this time while the karma is below zero, so that an Island that was mended gets another chance.
    public static let recovery: Duration = .seconds(600)

    /// Codes by which all jobs that an Island held are lost at once, because it or its link was gone. They count once for all of them: who takes
    /// many jobs is not worse for it when the power fails.
    /// An outage of a registry is one too: neither it nor a link of the Island's is the fault of a job.
    public static let incidents: Set<String> = ["lease_lost", "island_restarted", "registry_unavailable", "rate_limited"]
    /// Losses within this time are of one incident. Chosen: twice a lease, so that a restart and the leases it cost are one.
    public static let incidentLength: Duration = .seconds(60)

    /// Codes by which an Island refuses the signature of what it was to run.
    public static let signatureRefusals: Set<String> = ["signature_missing", "signature_invalid", "signature_revoked"]

    /// Codes by which an Island refuses what a registry gave it in place of the image.
    public static let imageRefusals: Set<String> = ["digest_mismatch", "size_mismatch", "diff_id_mismatch"]

    /// Further codes that say something of the image, or of what its registry lets anybody have.
    private static let imageFaults: Set<String> = [
        "not_found", "malformed_document", "unsupported_media_type", "limit_exceeded", "hostile_layer", "missing_blob", "no_matching_platform",
        "unauthorized", "forbidden", "protocol_violation", "invalid_reference", "invalid_digest",
    ]

    /// What an attempt that ended by a fault costs, in points.
    ///
    /// | code | points | why |
    /// |---|---|---|
    /// | `lease_lost` | 5, once an incident | Consumers waited for nothing |
    /// | `overdue` | 5 | a Consumer waited for nothing |
    /// | `island_restarted` | 2, once an incident | machines restart |
    /// | `signature_missing`, `signature_invalid`, `signature_revoked` | 0 | it did what it is there for |
    /// | `not_found`, `digest_mismatch` and whatever else is wrong with the image | 0 | its publisher, or whoever has the registry, did that |
    /// | `registry_unavailable`, `rate_limited` | 1, once an incident | its link may be at fault, or the registry |
    /// | others of the Island | 3 | it took what it could not do |
    /// | faults of others | 0 | |
    ///
    /// Chosen, all of them.
    ///
    /// - Parameter sinceIncident: how long ago an incident cost this Island points; `nil` for never.
    public static func penalty(for failure: JobFailure, sinceIncident: Duration? = nil) -> Int {
        guard failure.fault == .island else { return 0 }
        if incidents.contains(failure.code), let sinceIncident, sinceIncident < incidentLength { return 0 }
        switch failure.code {
        case "lease_lost", "overdue": return 5
        case "island_restarted": return 2
        case "registry_unavailable", "rate_limited": return 1
        case let code where signatureRefusals.contains(code) || imageRefusals.contains(code) || imageFaults.contains(code): return 0
        default: return 3
        }
    }
}

/// An Island's karma as it stands.
public struct Karma: Sendable, Hashable {
    /// The points.
    public private(set) var points: Int
    /// Good work since the last point was earned, in milliseconds.
    public private(set) var workMilliseconds: Int

    /// Karma as it was stored; by default a new Island's.
    public init(points: Int = 0, workMilliseconds: Int = 0) {
        self.points = points
        self.workMilliseconds = workMilliseconds
    }

    /// Adds good work; every ``KarmaRule/earning`` of it is a point.
    ///
    /// - Returns: the points that it earned.
    public mutating func work(milliseconds: Int) -> Int {
        let each = Int(KarmaRule.earning.components.seconds) * 1000
        workMilliseconds += max(0, milliseconds)
        let earned = workMilliseconds / each
        workMilliseconds -= earned * each
        points += earned
        return earned
    }

    /// Takes points off.
    public mutating func lose(_ penalty: Int) { points -= max(0, penalty) }

    /// Gives points back for time that has passed, up to zero.
    ///
    /// - Returns: the points that came back.
    public mutating func recover(after milliseconds: Int) -> Int {
        guard points < 0 else { return 0 }
        let back = min(max(0, milliseconds) / (Int(KarmaRule.recovery.components.seconds) * 1000), -points)
        points += back
        return back
    }
}
