import ArgumentParser
import CargoIO
import Domain
import Foundation
import JSON
import OCI
import Sandbox

/// `archipelago cargo test`.
struct CargoTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Run an image under exactly the sandbox of a trust level and check the I/O protocol.",
        discussion: """
            IMAGE is a reference, an OCI layout folder, or an OCI or docker-save tar. Prints every violation, the peak memory,
            the time and the exit; exits 0 only if the Cargo would pass on an Island. Needs root: the sandbox uses user namespaces
            and cgroups.
            """)

    @Argument(help: "The image.") var image: String
    @OptionGroup var job: JobInputOptions
    @Option(help: "The trust level.") var level = 0
    @Option(help: "Wall-clock seconds that the Cargo may take, at most its level's.") var timeoutSeconds: Int?
    @OptionGroup var output: OutputOptions

    func run() async throws {
        guard let level = TrustLevel(rawValue: level) else { throw CommandFailure(.usage, "--level is 0, 1, 2 or 3.") }
        let most = level.limits.timeout
        let timeout = timeoutSeconds.map { Duration.seconds($0) } ?? most
        guard timeout > .zero, timeout <= most else {
            throw CommandFailure(.usage, "--timeout-seconds is from 1 to \(most.components.seconds) at level \(level.rawValue).")
        }
        let input = try job.object()
        let report = try await Interruptible.run {
            try await Workshop.use { try await test(input, level, timeout, $0) }
        }
        output.show(report.json, report.lines)
        if !report.passes { throw ExitCode(CommandExit.failed.rawValue) }
    }

    private func test(_ input: JSONObject, _ level: TrustLevel, _ timeout: Duration, _ workshop: Workshop) async throws -> TestReport {
        let image = try await workshop.open(image).image(for: Workshop.hostPlatform)
        let sandbox = try IslandAssembly.makeSandbox(stateFolder: workshop.folder + "/cages")
        let result: Result<TestReport, any Error>
        do {
            result = .success(try await run(image, input, level, timeout, workshop, sandbox))
        } catch {
            result = .failure(error)
        }
        await sandbox.shutdown()
        do { return try result.get() } catch let error as SandboxError { throw CommandFailure(.failed, error.message) }
    }

    private func run(
        _ image: PlatformImage, _ input: JSONObject, _ level: TrustLevel, _ timeout: Duration, _ workshop: Workshop, _ sandbox: RuncSandbox
    ) async throws -> TestReport {
        var options = UnpackOptions()
        options.idOffset = UInt32(sandbox.configuration.idOffset)
        let root = workshop.folder + "/root"
        try await LayerUnpacker(store: workshop.store, options: options).unpack(image, to: root)
        let configuration = image.configuration
        let caged = try CagedJob(
            id: ContainerID("test-\(UUID().uuidString.lowercased())"), rootFolder: root, command: configuration.entrypoint + configuration.cmd,
            environment: configuration.env, workingFolder: configuration.workingDirectory, level: level, timeout: timeout,
            input: input.bytes)
        let transcript = TestTranscript(level: level, echo: !output.json)
        let end = try await sandbox.run(caged) { await transcript.receive($0) }
        return await transcript.report(end, level)
    }
}

/// Gathers what a tested Cargo writes.
private actor TestTranscript {
    private var inspector: TranscriptInspector
    private var frames = 0
    private let echo: Bool

    init(level: TrustLevel, echo: Bool) {
        inspector = TranscriptInspector(
            limits: TranscriptLimits(frameBytesMax: level.limits.frameBytesMax, transcriptBytesMax: level.limits.transcriptBytesMax))
        self.echo = echo
    }

    func receive(_ chunk: [UInt8]) {
        var new: [Frame] = []
        inspector.receive(chunk, into: &new)
        take(new)
    }

    private func take(_ new: [Frame]) {
        frames += new.count
        if echo { for frame in new { Terminal.say(Terminal.printable(String(decoding: frame.bytes, as: UTF8.self))) } }
    }

    func report(_ end: JobEnd, _ level: TrustLevel) -> TestReport {
        var new: [Frame] = []
        var violations: [TestReport.Violation] = []
        if case .exited(let code) = end.cause {
            inspector.finish(exitCode: code, into: &new)
            take(new)
        }
        if let (kind, message) = end.cause.violation(of: level.limits) {
            violations.append(.init(code: kind.rawValue, message: message, line: nil))
        }
        violations += inspector.violations.map { .init(code: $0.code.rawValue, message: $0.message, line: $0.line) }
        return TestReport(level: level, end: end, frames: frames, violations: violations)
    }
}

/// What a test came to.
private struct TestReport {
    struct Violation {
        let code: String
        let message: String
        let line: Int?
    }

    let level: TrustLevel
    let end: JobEnd
    let frames: Int
    let violations: [Violation]

    var passes: Bool { violations.isEmpty }

    private var exit: String {
        switch end.cause {
        case .exited(let code): "exit \(code)"
        case .timedOut: "timeout"
        case .outOfMemory: "out of memory"
        case .forbiddenSyscall(let name): "forbidden system call \(name ?? "")"
        case .killed(let signal): "signal \(signal)"
        }
    }

    private var milliseconds: Int { Int(end.wallTime / .milliseconds(1)) }

    var json: JSONValue {
        let rows = violations.map { violation -> JSONValue in
            ["code": .string(violation.code), "message": .string(violation.message), "line": .optional(violation.line)]
        }
        return [
            "passes": .bool(passes), "trust_level": .int(level.rawValue), "violations": .array(rows), "exit": .string(exit), "frames": .int(frames),
            "wall_ms": .int(milliseconds), "cpu_ms": .int(Int(end.cpuTime / .milliseconds(1))), "peak_memory_bytes": .int(end.peakMemoryBytes),
            "stderr": .string(String(decoding: end.standardError, as: UTF8.self)),
        ]
    }

    var lines: [String] {
        var lines = ["", passes ? "PASS at level \(level.rawValue)" : "FAIL at level \(level.rawValue)"]
        lines += violations.map { "  \($0.code)\($0.line.map { " (line \($0))" } ?? ""): \($0.message)" }
        lines.append("  \(exit), \(frames) frames, \(milliseconds) ms, peak memory \(end.peakMemoryBytes >> 10) KiB")
        if !end.standardError.isEmpty { lines += ["stderr:", String(decoding: end.standardError, as: UTF8.self)] }
        return lines
    }
}
