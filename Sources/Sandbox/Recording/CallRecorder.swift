public import Domain
import Glibc
import SandboxKernel
import Synchronization

/// Counts the system calls of one Cargo beyond those that every profile allows, while it runs.
///
/// A call happens if any profile allows it, so that the Cargo goes its usual way; one that none allows is answered as ``SeccompProfile/gpu``
/// answers it, but never kills. Source: seccomp_unotify(2).
final class CallRecorder: Sendable {
    private struct State {
        var counts: [MadeCall: Int] = [:]
        /// The cage entry's own call, by which it waits for a listener, is not the Cargo's.
        var isFirst = true
    }

    private let state = Mutex(State())

    /// Every call so far, and how often it was made.
    var counts: [MadeCall: Int] { state.withLock(\.counts) }

    /// Hands over every call but those that ``MinimalCalls`` allows.
    static func filter(for architecture: Architecture) -> [BPFInstruction] {
        BPFAssembler.program(
            architecture: architecture, allowed: MinimalCalls.allowed.compactMap { SystemCallNumbers.number(of: $0.name, on: architecture) },
            refused: [], others: BPFAssembler.Verdict.handOver)
    }

    /// Takes one call, counts it and lets it happen or not.
    ///
    /// - Parameter isOver: whether nobody is left to make calls.
    func takeCall(from listener: Descriptor, isOver: Bool) throws {
        guard !isOver else { return }
        var made = kernel_call()
        // Safety: the record lives for the length of the call. A process that died meanwhile is no error.
        let received = kernel_call_receive(listener.number, &made)
        if received == -ENOENT { return }
        try checked("seccomp_unotify") { received }
        let arguments = withUnsafeBytes(of: made.arguments) { Array($0.bindMemory(to: UInt64.self)) }
        let call = MadeCall(number: Int(made.number), arguments: arguments, on: .current)
        let isCargos = state.withLock { state in
            defer { state.isFirst = false }
            if !state.isFirst { state.counts[call, default: 0] += 1 }
            return !state.isFirst
        }
        let answered = kernel_call_answer(listener.number, made.id, isCargos ? Self.answer(to: call) : 0)
        if answered != -ENOENT { try checked("seccomp_unotify") { answered } }
    }

    /// The errno for a call, 0 to let it happen.
    private static func answer(to call: MadeCall) -> CInt {
        switch call.verdict(under: .gpu) {
        case .allowed, .allowedIf: 0
        case .refused, .kills: EPERM
        case .noSuchCall: ENOSYS
        }
    }
}

/// The system calls of one run beyond those that every profile allows.
public struct CallRecord: Sendable, Hashable {
    /// A call and how often it was made.
    public struct Entry: Sendable, Hashable {
        /// The call.
        public let call: MadeCall
        /// Its count, at least 1.
        public let count: Int
    }

    /// Sorted by name.
    public let entries: [Entry]

    init(_ counts: [MadeCall: Int]) {
        entries = counts.map { Entry(call: $0.key, count: $0.value) }.sorted { $0.call.description < $1.call.description }
    }

    /// What a profile does not let happen, and what it does instead.
    public func forbidden(under profile: SeccompProfile) -> [(entry: Entry, verdict: CallVerdict)] {
        entries.map { ($0, $0.call.verdict(under: profile)) }.filter { $0.verdict != .allowed }
    }
}
