import Foundation
import JSON
import Synchronization

/// What a command came to.
struct CommandResult: Sendable, CustomStringConvertible {
    /// The exit code; minus the signal's number when one ended it.
    let exit: Int32
    let stdout: String
    let stderr: String

    var description: String { "exit \(exit)\nstdout: \(stdout.prefix(2000))\nstderr: \(stderr.prefix(2000))" }

    /// stdout as one JSON value.
    func json() throws -> JSONValue { try JSONValue(parsing: stdout.trimmingCharacters(in: .whitespacesAndNewlines)) }

    /// stdout as JSON Lines.
    func jsonLines() throws -> [JSONValue] { try stdout.split(separator: "\n").map { try JSONValue(parsing: String($0)) } }
}

/// Another process, with its output in files, so that no pipe fills up and no grandchild keeps one open.
///
/// A long-running one gets a guard: a shell that holds a pipe from this process and ends the child when this process ends,
/// however that happens; so a crash or an interruption of the suite leaves nothing running.
final class ChildProcess: Sendable {
    private let process = Process()
    private let folder: String
    private let guarding: (process: Process, lifeline: Pipe)?

    private static let guardScript = """
        if read -r _; then exit 0; fi
        kill -TERM "$1" 2>/dev/null
        tries=0
        while [ -d "/proc/$1" ] && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
        kill -KILL "$1" 2>/dev/null
        """

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - input: what it reads on stdin; else stdin is empty.
    ///   - guarded: for a long-running program, whether it ends with this process.
    init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil, guarded: Bool = false
    ) throws {
        folder = try Machine.makeFolder("io")
        for (name, content) in [("stdout", ""), ("stderr", ""), ("stdin", input ?? "")] {
            try Data(content.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
        }
        let variables = [
            "PATH": Machine.searchPath, "HOME": "/root", "TMPDIR": NSTemporaryDirectory(), "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": "/nonexistent",
        ]
        process.executableURL = URL(fileURLWithPath: program.hasPrefix("/") ? program : "/usr/bin/env")
        process.arguments = program.hasPrefix("/") ? arguments : [program] + arguments
        process.environment = variables.merging(environment) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: folder + "/stdin"))
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/stdout"))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/stderr"))
        let ended = Ended()
        process.terminationHandler = { process in
            ended.set(process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus)
        }
        self.ended = ended
        try process.run()
        let id = process.processIdentifier
        Self.watch(id, ended)
        guarding = guarded ? try Self.makeGuard(of: id, variables) : nil
    }

    private static func makeGuard(of child: Int32, _ variables: [String: String]) throws -> (Process, Pipe) {
        let (process, lifeline) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", guardScript, "archipelago-live-guard", "\(child)"]
        process.environment = variables
        process.standardInput = lifeline
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return (process, lifeline)
    }

    deinit {
        // What stays lies in the temporary folder, which the system empties.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The exit status, for whoever waits for it.
    private final class Ended: Sendable {
        private struct State {
            var status: Int32?
            var waiting: [CheckedContinuation<Int32?, Never>] = []
        }

        private let state = Mutex(State())

        var status: Int32? { state.withLock(\.status) }

        /// The first word counts.
        func set(_ status: Int32) {
            let waiting = state.withLock { state in
                if state.status == nil { state.status = status }
                defer { state.waiting = [] }
                return state.waiting
            }
            for one in waiting { one.resume(returning: status) }
        }

        /// Waits for the status; a cancelled task throws.
        func wait() async throws -> Int32 {
            let status = await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let (isOver, status) = state.withLock { state in
                        let isOver = state.status != nil || Task.isCancelled
                        if !isOver { state.waiting.append(continuation) }
                        return (isOver, state.status)
                    }
                    if isOver { continuation.resume(returning: status) }
                }
            } onCancel: {
                let waiting = state.withLock { state in
                    defer { state.waiting = [] }
                    return state.waiting
                }
                for one in waiting { one.resume(returning: nil) }
            }
            guard let status else { throw CancellationError() }
            return status
        }
    }

    private let ended: Ended

    /// Notices the child's end where Foundation does not: that waits for a socket to close which the child's own children have too, and
    /// one of them may live on.
    private static func watch(_ id: Int32, _ ended: Ended) {
        Thread.detachNewThread {
            var facts = siginfo_t()
            // Safety: the record lives for the length of the call; the child is not reaped by it. Where Foundation was first, it says so.
            while waitid(P_PID, id_t(id), &facts, WEXITED | WNOWAIT) != 0 { if errno != EINTR { return } }
            let status = facts._sifields._sigchld.si_status
            ended.set(facts.si_code == CLD_EXITED ? status : -status)
        }
    }

    /// The child's id.
    var id: Int32 { process.processIdentifier }

    var isRunning: Bool { ended.status == nil }

    /// What it has written till now.
    var stdout: String { text("stdout") }
    var stderr: String { text("stderr") }

    private func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: folder + "/" + name) ?? Data(), as: UTF8.self)
    }

    /// Sends a signal to the child alone.
    func signal(_ number: Int32) { if isRunning { kill(id, number) } }

    /// Waits for the end.
    func end(within limit: Duration = .seconds(60)) async throws -> CommandResult {
        let words = process.arguments?.prefix(4).joined(separator: " ") ?? ""
        let status: Int32
        do { status = try await LiveTests.within(limit, "the end of \(words)") { [ended] in try await ended.wait() } } catch let late as TooLate {
            throw TooLate(description: "\(late); stderr: \(stderr)")
        }
        // The guard has nothing to guard any more; when it is gone already, so much the better.
        try? guarding?.lifeline.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
        return CommandResult(exit: status, stdout: stdout, stderr: stderr)
    }

    /// Runs a program to its end.
    static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil, within limit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        let child = try ChildProcess(program, arguments, environment: environment, input: input)
        do { return try await child.end(within: limit) } catch {
            child.signal(SIGKILL)
            throw error
        }
    }
}
