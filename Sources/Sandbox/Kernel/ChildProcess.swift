import FoundationEssentials
import Glibc
import SandboxKernel
import Synchronization

/// A process that this one must reap. Used by one thread.
final class ChildProcess {
    let id: pid_t
    /// As `wait4` gave it, once the process is reaped.
    private var status: CInt?
    /// Readable once the process has ended.
    let descriptor: Descriptor
    /// Children that somebody waits for.
    private static let awaited = Mutex<Set<pid_t>>([])

    /// Takes over a process that is this one's child, such as an orphan below a subreaper.
    init(adopting id: pid_t) throws {
        self.id = id
        var status: CInt = 0
        // Safety: the status lives for the length of the call.
        // A process that cannot be waited for must not be signalled either: its number may be another's by then.
        try checked("wait4", "\(id)") { kernel_wait(id, 0, &status) }
        Self.awaited.withLock { _ = $0.insert(id) }
        descriptor = Descriptor(taking: try checked("pidfd_open", "\(id)") { kernel_process_open(id) })
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - environment: each `NAME=VALUE`.
    ///   - descriptors: become 0, 1, 2 and so on in the program, which has no others.
    init(path: String, arguments: [String], environment: [String], descriptors: [Descriptor]) throws {
        let numbers = descriptors.map(\.number)
        // Without this the descriptors could be closed after their numbers are read, before the program has them.
        let id = try withExtendedLifetime(descriptors) {
            try checked("posix_spawn", path) {
                withArgumentList([path] + arguments) { arguments in
                    withArgumentList(environment) { environment in
                        // Safety: both lists are zero-ended and live for the call; posix_spawn keeps nothing.
                        kernel_spawn(path, arguments, environment, numbers, numbers.count)
                    }
                }
            }
        }
        self.id = id
        Self.awaited.withLock { _ = $0.insert(id) }
        descriptor = Descriptor(taking: try checked("pidfd_open", "\(id)") { kernel_process_open(id) })
    }

    deinit { Self.awaited.withLock { _ = $0.remove(id) } }

    /// Reaps the children of this process that have a name and that nobody waits for, as far as they have ended.
    static func reapOrphans(named name: String) throws {
        let own = getpid()
        for entry in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            // One that has gone meanwhile is nobody's child any more. The name stands in parentheses; state and parent follow it.
            guard let id = pid_t(entry), let line = try? SmallFiles.read("/proc/\(id)/stat"), line.contains("(\(name)) "),
                let words = line.split(separator: ")").last?.split(separator: " "), words.count > 1, words[0] == "Z", pid_t(words[1]) == own,
                !awaited.withLock({ $0.contains(id) })
            else { continue }
            var status: CInt = 0
            // Safety: the status lives for the length of the call. Another thread may have been faster, which is as good.
            _ = kernel_wait(id, 0, &status)
        }
    }

    /// Sends SIGKILL. A process that has ended is left in peace.
    func kill() {
        guard status == nil else { return }
        // Safety: the descriptor names this process for ever, whoever has its number. The only error is that it is gone.
        _ = kernel_process_signal(descriptor.number, SIGKILL)
    }

    /// Waits for the end. Returns `nil` when the time is up first.
    func wait(atMost time: Duration) throws -> CInt? {
        let deadline = ContinuousClock.now + time
        while true {
            if let status { return status }
            var ends = [pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)]
            let remaining = ContinuousClock.now.duration(to: deadline)
            // Safety: the array holds the one entry that is announced, for the length of the call.
            if try checked("poll", "", { kernel_poll(&ends, 1, remaining.pollMilliseconds) }) > 0 { return try reap() }
            if remaining <= .zero { return nil }
        }
    }

    /// Waits for the end and takes the wait status. Blocks while the process runs.
    func reap() throws -> CInt {
        if let status { return status }
        var status: CInt = 0
        // Safety: the status lives for the length of the call; the process is this one's child and not yet reaped.
        try checked("wait4", "\(id)") { kernel_wait(id, 1, &status) }
        self.status = status
        return status
    }
}

extension Duration {
    /// The time as poll(2) takes it: rounded up, so that a wait never ends early; 0 once it is over; at most an hour.
    var pollMilliseconds: CInt {
        if self <= .zero { return 0 }
        let milliseconds = self / .milliseconds(1)
        return CInt(min(milliseconds.rounded(.up), 3_600_000))
    }
}

/// Calls the body with a zero-ended list of zero-ended strings.
private func withArgumentList<Value>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value) -> Value {
    // Safety: every copy is freed after the body, which is the only one to see the pointers.
    let copies = texts.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    return body(copies + [nil])
}
