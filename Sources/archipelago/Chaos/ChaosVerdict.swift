import Domain
import Foundation
import JSON

/// What the harness found once all had come to rest.
struct ChaosVerdict: Sendable {
    let jobs: Int
    /// Attempts beyond the first.
    let restarts: Int
    let states: [String: Int]
    /// What is wrong; empty when nothing is.
    let faults: [String]

    /// Chosen: a lost lease takes 30 s, three of them one after the other 90, and the work itself seconds.
    private static let restMax: Duration = .seconds(180)

    /// Waits until every acknowledged job is over, then looks at each, and at the books.
    static func find(_ network: ChaosNetwork, _ acknowledged: [ChaosLoad.Acknowledged], _ log: ChaosLog) async throws -> ChaosVerdict {
        let client = try APIClient(address: network.url, key: network.key)
        var faults: [String] = []
        let ids = Set(acknowledged.map(\.id))
        if ids.count != acknowledged.count { faults.append("\(acknowledged.count - ids.count) jobs were acknowledged under two keys.") }
        try await waitForRest(client)
        var states: [String: Int] = [:]
        var restarts = 0
        let total = try await client.call(.get, "/jobs?limit=1")["meta"]?["total"]?.int ?? -1
        if total != ids.count { faults.append("\(total) jobs are stored, and \(ids.count) were acknowledged.") }
        for found in try await look(at: acknowledged, client) {
            states[found.state, default: 0] += 1
            restarts += found.restarts
            faults += found.faults
        }
        let books = try await client.data(.get, "/admin/ledger/verify")
        faults += (books["faults"]?.array ?? []).compactMap(\.string)
        if books["credits_held"]?.int != 0 { faults.append("\(books["credits_held"].words) credits are still held.") }
        ChaosPhase.enter("looking at the log")
        faults += try await log.faults()
        return ChaosVerdict(jobs: ids.count, restarts: restarts, states: states, faults: faults)
    }

    private static func waitForRest(_ client: APIClient) async throws {
        let deadline = ContinuousClock.now + restMax
        while true {
            var open = 0
            do {
                for state in ["pending", "queued", "running"] {
                    open += try await client.call(.get, "/jobs?limit=1&status=\(state)")["meta"]?["total"]?.int ?? 1
                }
                if open == 0 { return }
            } catch let failure as CommandFailure where failure.exit == .unavailable {
                // It is still starting.
            }
            guard ContinuousClock.now < deadline else { throw CommandFailure(.failed, "\(open) jobs are still not over after \(restMax).") }
            ChaosPhase.enter("\(open) jobs are not over yet")
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// What was found of one job.
    private struct Found: Sendable {
        let state: String
        let restarts: Int
        let faults: [String]
    }

    /// Chosen: jobs looked at at once; each look waits for three answers.
    private static let looksAtOnce = 16

    private static func look(at jobs: [ChaosLoad.Acknowledged], _ client: APIClient) async throws -> [Found] {
        try await withThrowingTaskGroup(of: Found.self) { group in
            var all: [Found] = []
            for (number, job) in jobs.enumerated() {
                if number >= looksAtOnce, let found = try await group.next() { all.append(found) }
                ChaosPhase.enter("looking at job \(number + 1) of \(jobs.count), \(job.id)")
                group.addTask { try await look(at: job, client) }
            }
            return try await group.reduce(into: all) { $0.append($1) }
        }
    }

    private static func look(at job: ChaosLoad.Acknowledged, _ client: APIClient) async throws -> Found {
        let found = try await client.data(.get, "/jobs/\(job.id)")
        let state = found["status"]?.string ?? "?"
        let faults = try await transcriptFaults(job, found, client).map { "Job \(job.id) (\(state)): \($0)" }
        return Found(state: state, restarts: max(0, (found["attempt"]?.int ?? 0) - 1), faults: faults)
    }

    private static func transcriptFaults(_ job: ChaosLoad.Acknowledged, _ found: JSONValue, _ client: APIClient) async throws -> [String] {
        var faults: [String] = []
        let whole = try await records(of: job.id, from: 1, client)
        if whole.compactMap({ $0["seq"]?.int }) != Array(1...max(1, whole.count)) { faults.append("the transcript has gaps") }
        let terminals = whole.filter { ["done", "error"].contains($0["type"]?.string) && $0["status"] != nil }
        if terminals.count != 1 || terminals.first != whole.last { faults.append("it has \(terminals.count) terminal records, or not at its end") }
        let middle = max(1, whole.count / 2)
        let half = try await records(of: job.id, from: middle, client)
        if half != Array(whole.dropFirst(middle - 1)) { faults.append("two readers read different things") }
        faults += chargeFaults(job, found, whole)
        guard found["status"]?.string == "completed" else { return faults }
        let last = found["attempt"]?.int ?? 0
        let said = whole.filter { $0["type"]?.string == "token" && $0["attempt"]?.int == last }.compactMap { $0["content"]?.string }
        if said != (0..<job.count).map({ "\($0) " }) { faults.append("it says \(said.count) tokens of \(job.count), or in another order") }
        let images = whole.filter { $0["type"]?.string == "image" && $0["attempt"]?.int == last }.compactMap { $0["data"]?.string?.utf8.count }
        if images != [job.imageBytes].compactMap(\.self) { faults.append("it has images of \(images) bytes, and should have \(job.imageBytes ?? 0)") }
        return faults
    }

    /// Chosen: an attempt runs for a third of a second; stopped processes and a coordinator that is away add some, a clock that was set none.
    private static let secondsMax = 40

    /// The price is 1 a job, 1 a token and 1 a second, and what did not end well costs no more than what ran.
    private static func chargeFaults(_ job: ChaosLoad.Acknowledged, _ found: JSONValue, _ whole: [JSONObject]) -> [String] {
        let isCompleted = found["status"]?.string == "completed"
        let least = isCompleted ? 1 + job.count : 0
        guard let charge = found["usage"]?["credits_used"]?.int, (least...1 + job.count + secondsMax).contains(charge) else {
            return ["it cost \(found["usage"]?["credits_used"].words ?? "nothing"), and \(job.count) tokens in less than a second are not worth that"]
        }
        guard whole.last?["code"]?.string != JobCharge.holdReachedCode else { return ["it was stopped for want of credits that were held for it"] }
        return []
    }

    private static func records(of job: String, from seq: Int, _ client: APIClient) async throws -> [JSONObject] {
        var records: [JSONObject] = []
        try await TranscriptFollower(client: client, job: job).follow(from: seq) { records.append($0) }
        return records
    }
}
