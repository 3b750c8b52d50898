internal import Subprocess
internal import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// One run of a scanner's program, with nothing inherited from this process.
struct ScannerProcess: Sendable {
    let executable: String
    let arguments: [String]
    /// The whole environment of the program.
    let environment: [String: String]
    let workingFolder: FilePath
    /// The longest time from the start to the end.
    let timeout: Duration
    /// The most bytes of standard output kept; a program that prints more is killed.
    let outputBytesMax: Int

    /// How a run ended.
    enum Outcome: Sendable, Hashable {
        case exited(code: Int32, output: [UInt8], error: String)
        case signalled(Int32, error: String)
        case timedOut
        case cancelled
        case outputTooLarge
        case notStarted(String)
        case lost(String)
    }

    /// Runs the program to its end.
    ///
    /// Its process group is killed when the time is up, when the task is cancelled, and after it has ended, so that nothing
    /// it started goes on.
    func run() async -> Outcome {
        await withTaskGroup(of: Outcome.self) { group in
            group.addTask { await execute() }
            group.addTask {
                do {
                    try await Task.sleep(for: timeout)
                    return .timedOut
                } catch {
                    return .cancelled
                }
            }
            let first = await group.next() ?? .cancelled
            // Cancelling kills the process group; the group then waits until the process is gone.
            group.cancelAll()
            await group.waitForAll()
            return Task.isCancelled ? .cancelled : first
        }
    }

    /// Time between two looks at a process whose output has ended. Chosen: far below a scan's 100 ms.
    private static let pollInterval = Duration.milliseconds(2)

    private func execute() async -> Outcome {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.createSession = false
        options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(100))]
        var values: [Environment.Key: String] = [:]
        for (key, value) in environment {
            guard let key = Environment.Key(rawValue: key) else { return .notStarted("a variable without a name") }
            values[key] = value
        }
        do {
            let result = try await Subprocess.run(
                .path(FilePath(executable)), arguments: Arguments(arguments), environment: .custom(values),
                workingDirectory: workingFolder, platformOptions: options, input: .none, output: .bytes(limit: outputBytesMax),
                error: .sequence
            ) { execution in
                let process = execution.processIdentifier.value
                var text = CutText()
                do {
                    for try await buffer in execution.standardError {
                        buffer.withUnsafeBytes { text.append($0) }
                    }
                    try await Self.waitForEnd(of: process)
                } catch {
                    Self.killGroup(of: process)
                    throw error
                }
                Self.killGroup(of: process)
                return text.text
            }
            switch result.terminationStatus {
            case .exited(let code): return .exited(code: code, output: result.standardOutput, error: result.closureResult)
            case .signaled(let signal): return .signalled(signal, error: result.closureResult)
            }
        } catch let error as SubprocessError {
            return Self.outcome(error)
        } catch is CancellationError {
            return .cancelled
        } catch {
            return .lost(String(describing: type(of: error)))
        }
    }

    /// Waits until a process has ended, and leaves it for the library to collect.
    ///
    /// - Throws: `CancellationError` when the task is cancelled first.
    private static func waitForEnd(of process: pid_t) async throws {
        while true {
            var status = siginfo_t()
            // Safety: `status` outlives the call, which writes one `siginfo_t`; WNOWAIT leaves the process uncollected.
            let result = waitid(P_PID, id_t(process), &status, WEXITED | WNOHANG | WNOWAIT)
            let problem = errno
            if result == 0, status.si_signo == SIGCHLD { return }
            if result != 0, problem != EINTR { throw Errno(rawValue: problem) }
            try await Task.sleep(for: pollInterval)
        }
    }

    /// Kills what there is of a process group.
    ///
    /// Called only while the library has not collected the group's first process: until then its number, which is also the
    /// group's, cannot be given to another process.
    private static func killGroup(of process: pid_t) {
        // ESRCH means that nothing is left, which is as it should be.
        _ = kill(-process, SIGKILL)
    }

    private static func outcome(_ error: SubprocessError) -> Outcome {
        switch error.code {
        case .outputLimitExceeded: .outputTooLarge
        case .executableNotFound, .spawnFailed, .failedToChangeWorkingDirectory: .notStarted(error.description)
        default: .lost(error.description)
        }
    }
}

/// The start and the end of a text, so that a program can print any amount.
struct CutText: Sendable {
    /// Bytes kept from the start: a crash says what it is there. Chosen.
    static let startBytesMax = 8 * 1024
    /// Bytes kept from the end: an error stands there, after any help text. Chosen.
    static let endBytesMax = 24 * 1024

    private var start: [UInt8] = []
    private var end: [UInt8] = []
    private var isCut = false

    /// Adds bytes; those in the middle are dropped once there are too many.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        let room = min(Self.startBytesMax - start.count, bytes.count)
        start.append(contentsOf: bytes[..<room])
        end.append(contentsOf: bytes[room...].suffix(Self.endBytesMax))
        if bytes.count - room > Self.endBytesMax { isCut = true }
        if end.count > Self.endBytesMax {
            end.removeFirst(end.count - Self.endBytesMax)
            isCut = true
        }
    }

    /// The kept text; a line of its own stands where something was dropped. Bytes that are not UTF-8 are replaced.
    var text: String {
        String(decoding: start, as: UTF8.self) + (isCut ? "\n[…]\n" : "") + String(decoding: end, as: UTF8.self)
    }
}
