import ArgumentParser
import Domain
import Foundation
import IslandLink
import JSON
import NIOCore
import NIOHTTP1
import Synchronization
import WebSockets

/// `archipelago bench streams`.
struct BenchStreams: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "streams", abstract: "Stream frames from a simulated Island to Consumers, and tell how many a second, and how late.",
        discussion: """
            The coordinator is the real one on a loopback port, and stores every frame before it hands it on. Four measurements, one after the \
            other: many streams at a steady pace, each to its own reader, with the delay of each frame from the Island's socket to the Consumer's; \
            one stream as fast as it goes to one reader; one to many readers; and one to a crowd, without and with one more reader who takes a \
            byte a second.
            """)

    @Option(help: "Streams at a steady pace.") var streams = 100
    @Option(help: "Frames of each.") var frames = 1000
    @Option(help: "Frames a second of each.") var pace = 20
    @Option(help: "Frames of a stream that goes as fast as it can.") var fast = 100_000
    @Option(help: "Readers of one stream.") var readers = 100
    @Option(help: "Readers of the stream that one more reads slowly.") var crowd = 1000
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard [streams, frames, pace, fast, readers, crowd].allSatisfy({ $0 > 0 }) else { throw ValidationError("Counts must be at least 1.") }
    }

    func run() async throws {
        let network = try await BenchNetwork.start()
        do {
            let island = try await network.connectIsland("island", slots: streams)
            let plan = StreamPlan()
            let results = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await island.streamEverything(plan) }
                let steady = try await steadily(network, plan)
                let single = try await asFastAsPossible(network, plan, readers: 1, frames: fast)
                let many = try await asFastAsPossible(network, plan, readers: readers, frames: max(1000, fast / 10))
                let crowd = try await crowded(network, plan)
                group.cancelAll()
                return Results(delays: steady, single: single, many: many, crowd: crowd)
            }
            try await network.stop()
            show(results)
        } catch {
            try await network.stop()
            throw error
        }
    }

    private struct Results {
        /// Of the steady streams, in milliseconds.
        let delays: [Double]
        /// Deliveries a second, as are the next.
        let single: Double
        let many: Double
        let crowd: Crowd
    }

    private struct Crowd {
        let alone: Double
        let withSlowReader: Double
        /// Of this process, which holds both ends of every connection.
        let memoryBefore: Int
        let memoryPeak: Int
    }

    private func steadily(_ network: BenchNetwork, _ plan: StreamPlan) async throws -> [Double] {
        plan.set(frames: frames, pause: .nanoseconds(1_000_000_000 / pace))
        return try await withThrowingTaskGroup(of: [Double].self) { group in
            for _ in 0..<streams {
                let job = try await network.submit()
                group.addTask { try await network.read(job) }
            }
            return try await group.reduce(into: [Double]()) { $0 += $1 }
        }
    }

    /// A stream to a crowd, alone and beside a reader who takes a byte a second.
    private func crowded(_ network: BenchNetwork, _ plan: StreamPlan) async throws -> Crowd {
        let frames = 1000
        plan.fillerBytes = 4000
        defer { plan.fillerBytes = 0 }
        let before = ResidentMemory.now
        let alone = try await asFastAsPossible(network, plan, readers: crowd, frames: frames)
        let slow = try await asFastAsPossible(network, plan, readers: crowd, frames: frames, besides: { try SlowReader(network, $0) })
        return Crowd(alone: alone, withSlowReader: slow, memoryBefore: before, memoryPeak: ResidentMemory.peak)
    }

    /// Deliveries a second, from the first frame that came to the last.
    ///
    /// - Parameter besides: opens what else reads the job.
    private func asFastAsPossible(
        _ network: BenchNetwork, _ plan: StreamPlan, readers: Int, frames: Int, besides: (String) throws -> SlowReader? = { _ in nil }
    ) async throws -> Double {
        plan.set(frames: frames, pause: .zero)
        plan.hold()
        let job = try await network.submit()
        let slow = try besides(job)
        defer { slow?.stop() }
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<readers { group.addTask { try await network.read(job).count } }
            let start = ContinuousClock.now
            plan.letGo()
            let received = try await group.reduce(0, +)
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            guard received == readers * frames else { throw CommandFailure(.failed, "\(readers * frames - received) frames were lost.") }
            return Double(received) / seconds
        }
    }

    private func show(_ results: Results) {
        let percentiles = Percentiles(results.delays)
        let (received, crowded) = (results.delays.count, results.crowd)
        let megabytes = { (bytes: Int) in bytes >> 20 }
        let words = { (number: Double) in String(format: "%.2f", number) }
        output.show(
            [
                "streams": .int(streams), "frames": .int(frames), "pace": .int(pace), "received": .int(received),
                "p50_ms": .number(JSONNumber(percentiles[50])), "p99_ms": .number(JSONNumber(percentiles[99])),
                "max_ms": .number(JSONNumber(percentiles.max)), "one_to_one_per_second": .number(JSONNumber(results.single)),
                "readers": .int(readers),
                "to_many_per_second": .number(JSONNumber(results.many)), "crowd": .int(crowd),
                "to_crowd_per_second": .number(JSONNumber(crowded.alone)),
                "to_crowd_beside_slow_reader_per_second": .number(JSONNumber(crowded.withSlowReader)),
                "memory_before_bytes": .int(crowded.memoryBefore), "memory_peak_bytes": .int(crowded.memoryPeak),
            ],
            [
                "\(streams) streams of \(frames) frames, \(pace) a second each: \(received) of \(streams * frames) received",
                "delay          p50 \(words(percentiles[50])) ms, p99 \(words(percentiles[99])) ms, max \(words(percentiles.max)) ms",
                "one to one     \(Int(results.single)) frames/s", "one to \(readers)      \(Int(results.many)) deliveries/s",
                "one to \(crowd)     \(Int(crowded.alone)) deliveries/s of 4 KB; beside one that reads a byte a second \(Int(crowded.withSlowReader))",
                "memory         \(megabytes(crowded.memoryBefore)) MB before the crowd, \(megabytes(crowded.memoryPeak)) MB at most",
            ])
    }
}

/// What the simulated Island writes for the next jobs.
final class StreamPlan: Sendable {
    private struct State {
        var frames = 0
        var pause = Duration.zero
        var fillerBytes = 0
        var attempts: [AttemptID] = []
        var isHeld = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func set(frames: Int, pause: Duration) {
        state.withLock { state in
            state.frames = frames
            state.pause = pause
        }
    }

    var frames: Int { state.withLock(\.frames) }
    var pause: Duration { state.withLock(\.pause) }

    /// What the Island was given; it goes on renewing what is over, which is refused and changes nothing.
    var attempts: [AttemptID] {
        get { state.withLock(\.attempts) }
        set { state.withLock { $0.attempts = newValue } }
    }

    /// Bytes that each frame has beside the moment it was written.
    var fillerBytes: Int {
        get { state.withLock(\.fillerBytes) }
        set { state.withLock { $0.fillerBytes = newValue } }
    }

    /// Keeps jobs from writing until they are let go.
    func hold() { state.withLock { $0.isHeld = true } }

    func letGo() {
        let waiting = state.withLock { state in
            state.isHeld = false
            defer { state.waiting = [] }
            return state.waiting
        }
        waiting.forEach { $0.resume() }
    }

    func untilLetGo() async {
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                if state.isHeld { state.waiting.append(continuation) }
                return !state.isHeld
            }
            if goesOn { continuation.resume() }
        }
    }
}

extension SimulatedIsland {
    /// Streams as planned for every assignment, until the task is cancelled. Each frame says when it was written.
    func streamEverything(_ plan: StreamPlan) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    try await Task.sleep(for: LeaseTerms.renewal)
                    try await connection.send(text: IslandMessage.heartbeat(plan.attempts).text)
                }
            }
            for await message in connection.incoming {
                guard let text = message.text, case .assign(let assignment) = try CoordinatorMessage(parsing: text) else { continue }
                plan.attempts.append(assignment.attempt)
                let (frames, pause, filler) = (plan.frames, plan.pause, String(repeating: " ", count: plan.fillerBytes))
                group.addTask {
                    try await connection.send(text: IslandMessage.started(assignment.attempt).text)
                    await plan.untilLetGo()
                    try await write(assignment.attempt, frames, pause, filler)
                }
            }
            group.cancelAll()
        }
    }

    private func write(_ attempt: AttemptID, _ frames: Int, _ pause: Duration, _ filler: String) async throws {
        let clock = ContinuousClock()
        // Streams do not keep time with each other.
        var next = clock.now + pause * Double.random(in: 0..<1)
        var sent = 0
        if pause > .zero { try await clock.sleep(until: next) }
        while sent < frames {
            let count = pause == .zero ? min(frames - sent, LinkLimits.framesMax) : 1
            let batch = (0..<count).map { _ in JSONObject(dictionaryLiteral: ("type", "token"), ("content", .string("\(Moments.now)\(filler)"))) }
            try await connection.send(text: IslandMessage.frames(attempt, first: sent + 1, frames: batch).text)
            sent += count
            guard pause > .zero else { continue }
            next += pause
            try await clock.sleep(until: next)
        }
        try await connection.send(
            text: IslandMessage.finished(
                .init(
                    attempt: attempt, frames: frames, done: ["type": "done"], failure: nil, runMilliseconds: 0, cpuMilliseconds: 0, peakMemoryBytes: 0
                )
            ).text)
    }
}

extension BenchNetwork {
    /// Sends a job and returns its id.
    func submit() async throws -> String {
        let client = try APIClient(address: url, key: consumerKey)
        let body: JSONValue = ["workload": .string(MadeUpCargo.slug), "input": ["max_tokens": 10_000_000]]
        return try await client.data(.post, "/jobs", body)["id"]?.string ?? ""
    }

    /// Reads a job's stream to its end, and tells how late each token was, in milliseconds.
    func read(_ job: String) async throws -> [Double] {
        let client = try APIClient(address: url, key: consumerKey)
        let connection = try await client.transcript(job: job, from: 1)
        var delays: [Double] = []
        for await message in connection.incoming {
            guard let text = message.text else { continue }
            // The number behind the mark, without the cost of a parser that would be measured too.
            let written = text.utf8.withContiguousStorageIfAvailable { bytes -> Int? in
                // {"type":"token","content":"… is how the Island writes it.
                guard bytes.count > 27, bytes[26] == UInt8(ascii: "\""), (0x30...0x39).contains(bytes[27]) else { return nil }
                return bytes[27...].prefix { (0x30...0x39).contains($0) }.reduce(0) { $0 * 10 + Int($1) - 0x30 }
            }
            if let written = written ?? nil { delays.append(Double(Moments.now - written) / 1_000_000) }
        }
        return delays
    }
}

/// Moments of one clock that all parts of this process share.
private enum Moments {
    private static let start = ContinuousClock.now

    /// Nanoseconds since the first one.
    static var now: Int {
        let (seconds, attoseconds) = start.duration(to: .now).components
        return Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
    }
}
