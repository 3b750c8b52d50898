import JSON

/// Tells what happens to a submission while it waits for review, line by line.
struct SubmissionWatcher {
    private let client: APIClient
    private let submission: Int
    private let json: Bool
    private var eventsShown = 0
    private var scanShown: String?

    /// Chosen: two requests each time, so 40 a minute, well below the 100 that a key may send.
    private static let intervalWhileScanning: Duration = .seconds(3)
    /// Chosen: reviewers take hours, but whoever watches wants to know soon.
    private static let intervalInQueue: Duration = .seconds(6)
    /// Chosen: a coordinator that restarts is back within seconds.
    private static let failuresMax = 10

    init(client: APIClient, submission: Int, json: Bool) {
        self.client = client
        self.submission = submission
        self.json = json
    }

    /// Shows what happened and what happens, until the submission leaves review or its scan could not be done.
    ///
    /// - Throws: ``CommandFailure`` `refused` when it was rejected, `unavailable` when it could not be scanned.
    mutating func watch() async throws {
        var state = "?"
        while true {
            if try await showNewEvents() || state == "?" {
                let current = try await patiently { try await client.data(.get, "/submissions/\(submission)") }
                state = current["state"].words
                if state != "pending_review" {
                    try await showScan(from: state)
                    return try end(current)
                }
            }
            let scan = try await showScan(from: state)
            let scanState = scan?["state"]?.string ?? "queued"
            if scanState == "could_not_scan" || scanState == "not_scannable" {
                throw CommandFailure(.unavailable, Terminal.printable(SubmissionLines.scan(scan ?? .null)))
            }
            let isScanned = scanState == "finished"
            Terminal.progress(isScanned ? "Waiting for a reviewer …" : "Scan \(scanState) …")
            try await Task.sleep(for: isScanned ? Self.intervalInQueue : Self.intervalWhileScanning)
        }
    }

    /// Shows the events that came since the last look.
    private mutating func showNewEvents() async throws -> Bool {
        let events = try await patiently { try await client.data(.get, "/submissions/\(submission)/events") }.array ?? []
        let new = events.dropFirst(eventsShown)
        for event in new {
            show("event", event, "\(Moment.clock(event["at"]))  \(Table.oneLine(SubmissionLines.event(event)))")
        }
        eventsShown = events.count
        return !new.isEmpty
    }

    /// Shows the scan when its state is another one than at the last look; a draft has none.
    @discardableResult
    private mutating func showScan(from state: String) async throws -> JSONValue? {
        let scan: JSONValue
        do {
            scan = try await patiently { try await client.data(.get, "/submissions/\(submission)/scans") }
        } catch let failure as CommandFailure where failure.exit == .notFound {
            return nil
        }
        let words = SubmissionLines.scan(scan)
        if words != scanShown { show("scan", scan, words) }
        scanShown = words
        return scan
    }

    private func show(_ type: String, _ value: JSONValue, _ line: String) {
        Terminal.progress("")
        guard json else { return Terminal.say(Terminal.printable(line)) }
        var object: JSONObject = ["type": .string(type)]
        for member in value.object?.members ?? [] { object[member.name] = member.value }
        Terminal.say(.object(object))
    }

    private func end(_ current: JSONValue) throws {
        show("submission", current, SubmissionLines.head(current))
        guard current["state"]?.string == "rejected" else { return }
        throw CommandFailure(
            .refused, "Submission \(submission) was rejected; 'archipelago cargo resubmit \(submission)' makes a new draft from it.")
    }

    /// Asks, and asks again while the coordinator does not answer or wants to be asked less often.
    private func patiently(_ ask: () async throws -> JSONValue) async throws -> JSONValue {
        var failures = 0
        while true {
            do {
                return try await ask()
            } catch let failure as CommandFailure where failure.exit == .unavailable && failures < Self.failuresMax {
                failures += 1
                try await Task.sleep(for: failure.retryAfter ?? Self.intervalWhileScanning)
            }
        }
    }
}
