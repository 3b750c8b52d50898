import ArgumentParser
import Coordinator
import Domain
import Foundation
import IslandLink
import JSON
import Logging
import NIOCore
import Storage
import Synchronization
import WebSockets

/// `archipelago bench jobs`.
struct BenchJobs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Send jobs over HTTP to a coordinator with simulated Islands, and tell how many are done a second.",
        discussion: """
            The coordinator is the real one on a loopback port, with its database in a temporary folder and every commit on disk. Islands are \
            simulated: they connect as Islands do and answer each assignment at once with as many token frames as --tokens says and 'done'. \
            Coordinator, Islands and Consumers share this process and machine. A job's time is from its POST to the commit of its end.
            """)

    @Option(help: "How many jobs.") var jobs = 20_000
    @Option(help: "How many simulated Islands.") var islands = 8
    @Option(help: "Jobs that an Island takes at once.") var slots = 64
    @Option(help: "Consumers that each send one job or batch after the other.") var consumers = 128
    @Option(help: "Token frames of each job.") var tokens = 0
    @Option(help: "Jobs that a Consumer sends at once, 1 to \(Batches.inputsMax).") var batch = 1
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard [jobs, islands, slots, consumers].allSatisfy({ $0 > 0 }), tokens >= 0 else { throw ValidationError("Counts must be at least 1.") }
        guard (1...Batches.inputsMax).contains(batch) else { throw ValidationError("A batch has 1 to \(Batches.inputsMax) jobs.") }
    }

    func run() async throws {
        let network = try await BenchNetwork.start()
        do {
            let times = try await measure(network)
            try await network.stop()
            show(times)
        } catch {
            try await network.stop()
            throw error
        }
    }

    private func measure(_ network: BenchNetwork) async throws -> (seconds: Double, milliseconds: [Double]) {
        let ends = JobEnds()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<islands {
                let island = try await network.connectIsland("island-\(number)", slots: slots)
                group.addTask { try await island.answerEverything(tokens: tokens) { ends.note($0) } }
            }
            // The first jobs warm up what is made once.
            _ = try await send(min(jobs, 500), network, ends)
            let clock = ContinuousClock()
            let start = clock.now
            let times = try await send(jobs, network, ends)
            let seconds = (clock.now - start) / .seconds(1)
            group.cancelAll()
            return (seconds, times)
        }
    }

    /// Sends jobs and waits for their ends.
    private func send(_ count: Int, _ network: BenchNetwork, _ ends: JobEnds) async throws -> [Double] {
        let left = Countdown(count)
        let (port, key, batch) = (network.port, network.consumerKey, batch)
        let whole = Self.request(of: batch, key)
        return try await withThrowingTaskGroup(of: [Double].self) { group in
            for _ in 0..<min(consumers, count) {
                group.addTask {
                    let client = try await BenchHTTPClient.connect(port: port)
                    var times: [Double] = []
                    while case let taken = left.take(upTo: batch), taken > 0 {
                        let request = taken == batch ? whole : Self.request(of: taken, key)
                        let start = ContinuousClock.now
                        let answer = try await client.send(request)
                        // The first of several is the batch's own.
                        let ids = answer.body.texts(behind: #""id":""#).suffix(taken)
                        guard answer.status == 201, ids.count == taken else {
                            throw CommandFailure(.failed, "A job was not taken: \(answer.status) \(String(buffer: answer.body))")
                        }
                        for id in ids { times.append((await ends.end(of: id) - start) / .milliseconds(1)) }
                    }
                    try await client.close()
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private static func request(of count: Int, _ key: String) -> ByteBuffer {
        let input = #"{"max_tokens":1000}"#
        if count == 1 { return BenchHTTPClient.post("/api/v1/jobs", key: key, #"{"workload":"\#(MadeUpCargo.slug)","input":\#(input)}"#) }
        let inputs = Array(repeating: input, count: count).joined(separator: ",")
        return BenchHTTPClient.post("/api/v1/batches", key: key, #"{"workload":"\#(MadeUpCargo.slug)","inputs":[\#(inputs)]}"#)
    }

    private func show(_ measured: (seconds: Double, milliseconds: [Double])) {
        let percentiles = Percentiles(measured.milliseconds)
        let rate = Double(jobs) / measured.seconds
        let words = { (number: Double) in String(format: "%.2f", number) }
        output.show(
            [
                "jobs": .int(jobs), "islands": .int(islands), "slots": .int(slots), "consumers": .int(consumers), "tokens": .int(tokens),
                "batch": .int(batch),
                "jobs_per_second": .number(JSONNumber(rate)), "p50_ms": .number(JSONNumber(percentiles[50])),
                "p99_ms": .number(JSONNumber(percentiles[99])), "max_ms": .number(JSONNumber(percentiles.max)),
            ],
            [
                "\(jobs) jobs of \(tokens) tokens, \(consumers) Consumers that send \(batch) at once, \(islands) simulated Islands of \(slots) slots",
                "every commit on disk",
                "done a second  \(String(format: "%.0f", rate))",
                "POST to done   p50 \(words(percentiles[50])) ms, p99 \(words(percentiles[99])) ms, max \(words(percentiles.max)) ms",
            ])
    }
}

/// A number of things to do, shared by many.
final class Countdown: Sendable {
    private let left: Mutex<Int>

    init(_ count: Int) { left = Mutex(count) }

    /// Takes some, or what is left; 0 when nothing is.
    func take(upTo count: Int) -> Int {
        left.withLock { left in
            let taken = min(count, left)
            left -= taken
            return taken
        }
    }
}

/// When jobs were over, for those who wait.
final class JobEnds: Sendable {
    private enum State {
        case over(ContinuousClock.Instant)
        case awaited(CheckedContinuation<ContinuousClock.Instant, Never>)
    }

    private let states = Mutex<[String: State]>([:])

    func note(_ job: String) {
        let now = ContinuousClock.now
        let waiting = states.withLock { states -> CheckedContinuation<ContinuousClock.Instant, Never>? in
            guard case .awaited(let continuation)? = states.removeValue(forKey: job) else {
                states[job] = .over(now)
                return nil
            }
            return continuation
        }
        waiting?.resume(returning: now)
    }

    func end(of job: String) async -> ContinuousClock.Instant {
        await withCheckedContinuation { continuation in
            let end = states.withLock { states -> ContinuousClock.Instant? in
                if case .over(let end)? = states.removeValue(forKey: job) { return end }
                states[job] = .awaited(continuation)
                return nil
            }
            if let end { continuation.resume(returning: end) }
        }
    }
}
