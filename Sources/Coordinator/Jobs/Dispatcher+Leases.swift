import Domain
import Fabric
import IslandLink
import Storage

extension Dispatcher {
    /// Chosen: how often leases are looked at; a thirtieth of their length.
    private static let leaseCheckInterval: Duration = .seconds(1)
    /// Chosen: looks between two at karma that comes back, of which a point takes ten minutes.
    private static let karmaEvery = 60

    /// Chosen: looks between two for jobs of what was revoked, which are ended when that is asked for, unless this process, or its disk, ends before.
    private static let revokedEvery = 3
    /// Chosen: looks between two notes of the time, which are a sixth of a lease apart.
    private static let clockEvery = 5

    func watchLeases() async throws {
        var looks = 0
        while true {
            try await surroundings.clock.sleep(for: Self.leaseCheckInterval)
            let now = surroundings.now()
            for job in Array(leases.keys) { try await look(at: job, now) }
            looks += 1
            if looks % Self.clockEvery == 0, !leases.isEmpty { try await database.write { try $0.noteClock(at: now.milliseconds) } }
            if looks % Self.revokedEvery == 0 { try await endRevokedJobs() }
            if looks % Self.karmaEvery == 0 { try await recoverKarma(now) }
        }
    }

    private func look(at job: String, _ now: Timestamp) async throws {
        // Looked up anew after every wait: it may have been renewed, or be another attempt's by now.
        guard let lease = leases[job] else { return }
        if let paidUntil = lease.paidUntil, paidUntil <= now, isHeard(lease, now) { return try await stopUnpaid(lease.attempt, island: lease.island) }
        guard lease.until <= now || lease.overdueAt <= now else { return }
        let failure =
            if lease.until > now {
                JobFailure(fault: .island, code: "overdue", message: "The Island did not end the job in time.")
            } else if lease.isDelivered {
                JobFailure(fault: .island, code: "lease_lost", message: "The Island was not heard of in time.")
            } else {
                JobFailure.neverArrived
            }
        try await end(lease.attempt, island: lease.island, failure)
        sessions[lease.island]?.send(.cancel(lease.attempt))
    }

    /// Whether an attempt's Island is known to be at work. Of one that is not, nobody knows whether there is anything to pay for: it comes back, or
    /// its lease ends and the job runs elsewhere.
    private func isHeard(_ lease: Lease, _ now: Timestamp) -> Bool {
        sessions[lease.island] != nil && now < lease.until + (LeaseTerms.silenceMax - LeaseTerms.length)
    }

    /// Gives connected Islands back the karma that time mends.
    private func recoverKarma(_ now: Timestamp) async throws {
        for id in Array(sessions.keys) where islands.island(id).map({ $0.karma < 0 }) == true {
            let karma = try await database.write { writer -> Int? in
                try writer.recoverKarma(of: id, at: now)
                return try writer.island(id: id)?.karma
            }
            noteKarma(karma, of: id)
        }
    }

    /// Takes note of an Island's karma; one that takes jobs again gets some.
    func noteKarma(_ karma: Int?, of island: String) {
        guard let karma, let before = islands.island(island)?.karma, before != karma else { return }
        islands.update(island) { $0.karma = karma }
        if before < KarmaRule.least, karma >= KarmaRule.least { bus.signal(Topics.placement) }
    }
}
