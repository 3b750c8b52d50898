import Storage
import Synchronization

/// A database whose writes a test can hold back, and what it reads.
final class GatedDatabase: Database {
    /// A place that one write passes.
    final class Gate: Sendable {
        private struct State {
            var isReached = false
            var isOpen: Bool
            var waiting: [CheckedContinuation<Void, Never>] = []
            var held: CheckedContinuation<Void, Never>?
        }

        private let state: Mutex<State>

        fileprivate init(isOpen: Bool) { state = Mutex(State(isOpen: isOpen)) }

        fileprivate func pass() async {
            let waiting = state.withLock { state in
                state.isReached = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for one in waiting { one.resume() }
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    if !state.isOpen { state.held = continuation }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
        }

        /// Returns once a write has come to the gate.
        func reached() async {
            await withCheckedContinuation { continuation in
                let isReached = state.withLock { state in
                    if !state.isReached { state.waiting.append(continuation) }
                    return state.isReached
                }
                if isReached { continuation.resume() }
            }
        }

        /// Returns once a write has come to the gate, or after giving way to everybody else so often.
        func reached(orAfterYields yields: Int) async {
            for _ in 0..<yields where !state.withLock(\.isReached) { await Task.yield() }
        }

        /// Lets the write pass.
        func letGo() {
            let held = state.withLock { state in
                state.isOpen = true
                defer { state.held = nil }
                return state.held
            }
            held?.resume()
        }
    }

    private let base: any Database
    private let gates = Mutex<[Gate]>([])
    private let readGate = Mutex<Gate?>(nil)

    init(_ base: any Database) { self.base = base }

    /// A gate that holds the next write until it is let go.
    func holdNextWrite() -> Gate { add(Gate(isOpen: false)) }

    /// A gate that only tells when the next write that no other gate awaits has come.
    func nextWrite() -> Gate { add(Gate(isOpen: true)) }

    /// A gate that holds what the next read has found until it is let go.
    func holdNextRead() -> Gate {
        let gate = Gate(isOpen: false)
        readGate.withLock { $0 = gate }
        return gate
    }

    private func add(_ gate: Gate) -> Gate {
        gates.withLock { $0.append(gate) }
        return gate
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> Value) async throws -> Value {
        let gate = readGate.withLock { gate in
            defer { gate = nil }
            return gate
        }
        let value = try await base.read(body)
        await gate?.pass()
        return value
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (any SQLWriter) throws -> Value) async throws -> Value {
        let gate = gates.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        await gate?.pass()
        return try await base.write(body)
    }

    var recordFolder: RecordFolder { base.recordFolder }

    func close() async { await base.close() }
}
