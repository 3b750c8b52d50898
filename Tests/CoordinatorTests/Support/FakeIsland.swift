import Domain
import Fabric
import IslandLink
import JSON
import Storage
import Synchronization
import Testing

@testable import Coordinator

/// An Island at the other end of an in-memory link.
final class FakeIsland: IslandChannel {
    let row: IslandRow
    private let said: (stream: AsyncStream<String>, continuation: AsyncStream<String>.Continuation) = AsyncStream.makeStream()
    private let heard: (stream: AsyncStream<String>, continuation: AsyncStream<String>.Continuation) = AsyncStream.makeStream()
    private let closing = Mutex<String?>(nil)
    private let task = Mutex<Task<Void, Never>?>(nil)
    private let distance = Mutex<Duration?>(nil)
    private let door = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((true, []))

    init(row: IslandRow) { self.row = row }

    static func capabilities(
        levels: Set<TrustLevel> = [.untrusted, .basic], cores: Int = 4, platform: String = "linux/amd64", slots: Int = 2
    ) -> IslandCapabilities {
        IslandCapabilities(
            runtimes: [.container], levels: levels, cores: cores, memoryMegabytes: 4096, vramMegabytes: 0, platform: platform, region: "",
            slots: slots)
    }

    // The coordinator's side.

    func receive() async throws -> String? {
        var messages = said.stream.makeAsyncIterator()
        return await messages.next()
    }

    func send(_ text: String) async throws {
        await withCheckedContinuation { continuation in
            let isOpen = door.withLock { door in
                if !door.isOpen { door.waiting.append(continuation) }
                return door.isOpen
            }
            if isOpen { continuation.resume() }
        }
        heard.continuation.yield(text)
    }

    var roundTrip: Duration? {
        get { distance.withLock(\.self) }
        set { distance.withLock { $0 = newValue } }
    }

    func close(reason: String) async {
        closing.withLock { $0 = reason }
        heard.continuation.finish()
    }

    // The test's side.

    /// Lets messages come in from now on, or none.
    func takes(_ isOpen: Bool) {
        let waiting = door.withLock { door in
            door.isOpen = isOpen
            defer { if isOpen { door.waiting = [] } }
            return isOpen ? door.waiting : []
        }
        for one in waiting { one.resume() }
    }

    /// Opens the connection to a gate; says nothing yet.
    func dial(_ gate: IslandGate) {
        // Unstructured: the connection lives until the test hangs up or the gate closes it.
        let serving = Task { await gate.serve(row, over: self) }
        task.withLock { $0 = serving }
    }

    func say(_ message: IslandMessage) { said.continuation.yield(message.text) }
    func say(text: String) { said.continuation.yield(text) }

    /// The next message; `nil` when the connection is closed.
    func hear() async throws -> CoordinatorMessage? {
        var messages = heard.stream.makeAsyncIterator()
        guard let text = await messages.next() else { return nil }
        return try CoordinatorMessage(parsing: text)
    }

    /// Breaks the connection.
    func hangUp() async {
        said.continuation.finish()
        await task.withLock(\.self)?.value
    }

    /// Waits until the coordinator closed the connection, and returns its reason.
    func closeReason() async throws -> String {
        while try await hear() != nil {}
        await task.withLock(\.self)?.value
        return closing.withLock(\.self) ?? "not closed"
    }

    func hearAssignment() async throws -> CoordinatorMessage.Assignment {
        while let message = try await hear() {
            if case .assign(let assignment) = message { return assignment }
            guard case .cancel = message else {
                Issue.record("heard \(message) instead of an assignment")
                continue
            }
        }
        throw LinkError("the link was closed before an assignment: \(closing.withLock(\.self) ?? "")")
    }

    // What an Island says of an attempt.

    func finish(_ attempt: AttemptID, frames: Int, runMilliseconds: Int = 0) {
        say(
            .finished(
                .init(
                    attempt: attempt, frames: frames, done: ["type": "done"], failure: nil, runMilliseconds: runMilliseconds, cpuMilliseconds: 0,
                    peakMemoryBytes: 0)))
    }

    func fail(_ attempt: AttemptID, _ fault: FaultClass, _ code: String, frames: Int = 0) {
        say(
            .finished(
                .init(
                    attempt: attempt, frames: frames, done: nil, failure: JobFailure(fault: fault, code: code, message: "It failed."),
                    runMilliseconds: 0, cpuMilliseconds: 0, peakMemoryBytes: 0)))
    }

    static func token(_ text: String) -> JSONObject { ["type": "token", "content": .string(text)] }
}

extension World {
    /// Connects an Island: hello and welcome are said.
    func connect(
        _ row: IslandRow, capabilities: IslandCapabilities = FakeIsland.capabilities(), attempts: [AttemptID] = [], to dispatcher: Dispatcher? = nil
    ) async throws -> (island: FakeIsland, resume: [CoordinatorMessage.Resumption]) {
        let island = FakeIsland(row: row)
        island.dial(IslandGate(dispatcher: dispatcher ?? self.dispatcher, logger: logger))
        island.say(.hello(.init(capabilities: capabilities, attempts: attempts)))
        guard case .welcome(let id, let resume)? = try await island.hear() else { throw LinkError("the first word must be welcome") }
        #expect(id == row.id)
        return (island, resume)
    }

    func connectIsland(_ name: String, capabilities: IslandCapabilities = FakeIsland.capabilities()) async throws -> FakeIsland {
        try await connect(try await registerIsland(name), capabilities: capabilities).island
    }
}
