import Testing

@testable import Sigstore

/// Entries of logs that do not say when they took them.
@Suite struct VerifierTests {
    private let signed: MadeSignature
    /// Trusted in 2025 and no longer.
    private let ended: MadeLog
    /// Trusted since 2025.
    private let open: MadeLog

    init() throws {
        signed = try MadeSignature()
        ended = try MadeLog(name: "ended", from: "2025-01-01T00:00:00Z", to: "2025-12-31T00:00:00Z")
        open = try MadeLog(name: "open", from: "2025-01-01T00:00:00Z")
    }

    private func code(_ entries: [Sigstore.Bundle.LogEntry], _ logs: [MadeLog], now: String) throws -> Refusal.Code? {
        do {
            #expect(try signed.verify(entries, by: MadeLog.root(logs), now: moment(now)).logEntries.count == entries.count)
            return nil
        } catch let refusal as Refusal { return refusal.code }
    }

    // With no time at all, the log must be trusted now; both ends of its interval belong to it.
    @Test(arguments: [
        ("2024-12-31T23:59:59.999Z", Refusal.Code.logOutsideValidity), ("2025-01-01T00:00:00Z", nil), ("2025-06-01T00:00:00Z", nil),
        ("2025-12-31T00:00:00Z", nil), ("2025-12-31T00:00:00.001Z", .logOutsideValidity), ("2026-11-01T00:00:00Z", .logOutsideValidity),
    ])
    func anEntryWithoutATimeCountsWhileItsLogDoes(now: String, refusal: Refusal.Code?) throws {
        #expect(try code([ended.entry(signed.body)], [ended], now: now) == refusal)
    }

    @Test func aLogWithoutAnEndCountsStill() throws {
        #expect(try code([open.entry(signed.body)], [open], now: "2026-11-01T00:00:00Z") == nil)
    }

    /// What another log signed says when it was, wherever it stands in the bundle.
    @Test(arguments: [("2025-06-01T00:00:00Z", nil), ("2025-12-31T00:00:00Z", nil), ("2026-01-01T00:00:00Z", Refusal.Code.logOutsideValidity)])
    func anEntryWithoutATimeIsHeldAgainstTheTimesOfOthers(time: String, refusal: Refusal.Code?) throws {
        let (timed, untimed) = (try open.entry(signed.body, at: time), try ended.entry(signed.body))
        for entries in [[timed, untimed], [untimed, timed]] {
            #expect(try code(entries, [ended, open], now: "2026-11-01T00:00:00Z") == refusal)
        }
    }

    @Test func everyTimeCounts() throws {
        let other = try MadeLog(name: "other", from: "2025-01-01T00:00:00Z")
        let entries = [
            try open.entry(signed.body, at: "2025-06-01T00:00:00Z"), try ended.entry(signed.body),
            try other.entry(signed.body, at: "2026-06-01T00:00:00Z"),
        ]
        #expect(try code(entries, [ended, open, other], now: "2025-06-01T00:00:00Z") == .logOutsideValidity)
        #expect(try code(Array(entries.prefix(2)), [ended, open, other], now: "2025-06-01T00:00:00Z") == nil)
    }

    @Test func anEndedLogHasWhatItSignedInItsTime() throws {
        let now = "2026-11-01T00:00:00Z"
        #expect(try code([ended.entry(signed.body, at: "2025-12-31T00:00:00Z")], [ended], now: now) == nil)
        #expect(try code([ended.entry(signed.body, at: "2025-12-31T00:00:01Z")], [ended], now: now) == .logOutsideValidity)
    }

    /// A root may name a log twice, with two times in which it counts.
    @Test func oneOfTheTimesOfALogIsEnough() throws {
        let key = SigningKey.generate()
        let (first, second) = (
            try MadeLog(key: key, from: "2025-01-01T00:00:00Z", to: "2025-02-01T00:00:00Z"), try MadeLog(key: key, from: "2026-01-01T00:00:00Z")
        )
        let entry = try first.entry(signed.body)
        #expect(try code([entry], [first, second], now: "2026-11-01T00:00:00Z") == nil)
        #expect(try code([entry], [second, first], now: "2025-01-15T00:00:00Z") == nil)
        #expect(try code([entry], [first, second], now: "2025-06-01T00:00:00Z") == .logOutsideValidity)
    }
}
