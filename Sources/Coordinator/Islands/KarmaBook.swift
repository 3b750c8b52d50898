import Domain
import Storage

extension SQLWriter {
    /// Adds an Island's good work, in the transaction that takes its result. Returns its karma.
    func addWork(of island: IslandRow, milliseconds: Int, job: String, at now: Timestamp) throws -> Int? {
        try changeKarma(of: island, reason: "work", job: job, at: now, restarts: false) { $0.work(milliseconds: milliseconds) }
    }

    /// Takes karma off for a fault. Returns its karma.
    func punish(_ islandID: String, for failure: JobFailure, job: String, at now: Timestamp) throws -> Int? {
        guard let island = try island(id: islandID) else { return nil }
        let incident = try newestKarmaEvent(islandID: islandID, reasons: KarmaRule.incidents.sorted())
        let penalty = KarmaRule.penalty(for: failure, sinceIncident: incident.map { .milliseconds(now.milliseconds - $0.at) })
        return try changeKarma(of: island, reason: failure.code, job: job, at: now, restarts: true) { karma in
            karma.lose(penalty)
            return -penalty
        }
    }

    /// Gives karma back for the time that has passed since it was lost or last came back.
    func recoverKarma(of islandID: String, at now: Timestamp) throws {
        guard let row = try island(id: islandID), row.karma < 0 else { return }
        _ = try changeKarma(of: row, reason: "recovery", job: nil, at: now, restarts: true) { karma in
            karma.recover(after: now.milliseconds - row.karmaAt)
        }
    }

    /// - Parameter restarts: whether the time to the next recovery begins anew when the karma changes.
    private func changeKarma(
        of row: IslandRow, reason: String, job: String?, at now: Timestamp, restarts: Bool, _ change: (inout Karma) -> Int
    ) throws -> Int? {
        var karma = Karma(points: row.karma, workMilliseconds: row.workMilliseconds)
        let points = change(&karma)
        let karmaAt = restarts && points != 0 ? now.milliseconds : row.karmaAt
        guard karma.points != row.karma || karma.workMilliseconds != row.workMilliseconds else { return row.karma }
        try setKarma(karma.points, workMilliseconds: karma.workMilliseconds, at: karmaAt, islandID: row.id)
        if points != 0 {
            try insertKarmaEvent(islandID: row.id, change: points, karma: karma.points, reason: reason, jobID: job, at: now.milliseconds)
        }
        return karma.points
    }
}
