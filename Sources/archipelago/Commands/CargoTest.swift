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

            --all-levels runs it at every level and says where it would live. --bad-inputs also feeds it input that is empty, malformed,
            cut off and huge, and says how it takes them: an 'error' frame is right, a crash or silence is not. These do not change the exit
            code.

            At the end it runs the Cargo once more, with its system calls recorded instead of filtered, and names those that a level forbids:
            'ended by' means that the Cargo dies of them there, EPERM that it is told no, which it may live with. --no-system-calls leaves this
            out.
            """)

    @Argument(help: "The image.") var image: String
    @OptionGroup var job: JobInputOptions
    @Option(help: "The trust level (default 0).") var level: Int?
    @Flag(help: "Run it at every level.") var allLevels = false
    @Flag(help: "Also feed it bad input at the lowest level that it passes.") var badInputs = false
    @Flag(help: "Do not run it once more to record its system calls.") var noSystemCalls = false
    @Option(help: "Wall-clock seconds that the Cargo may take, at most its level's.") var timeoutSeconds: Int?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if allLevels, level != nil { throw ValidationError("Give --level or --all-levels.") }
    }

    func run() async throws {
        let levels = try wantedLevels()
        let input = try job.object()
        let results = try await Interruptible.run {
            try await Workshop.use { try await test(input.bytes, levels, $0) }
        }
        show(results)
        // With several levels it is enough to pass at one.
        if !results.reports.contains(where: \.passes) { throw ExitCode(CommandExit.failed.rawValue) }
    }

    /// All that a test found out.
    private struct Results {
        var reports: [CargoTestReport] = []
        /// Levels that this machine cannot enforce, and why.
        var untried: [(level: TrustLevel, reason: String)] = []
        var inputs: [BadInput.Outcome] = []
        var calls: CargoTestCalls?
    }

    private func wantedLevels() throws -> [TrustLevel] {
        guard let wanted = TrustLevel(rawValue: level ?? 0) else { throw CommandFailure(.usage, "--level is 0, 1, 2 or 3.") }
        let levels = allLevels ? TrustLevel.allCases : [wanted]
        for level in levels {
            let most = level.limits.timeout
            if let timeoutSeconds, timeoutSeconds < 1 || (!allLevels && .seconds(timeoutSeconds) > most) {
                throw CommandFailure(.usage, "--timeout-seconds is from 1 to \(most.components.seconds) at level \(level.rawValue).")
            }
        }
        return levels
    }

    private func test(
        _ input: [UInt8], _ levels: [TrustLevel], _ workshop: Workshop
    ) async throws -> Results {
        let image = try await workshop.open(image).image(for: Workshop.hostPlatform)
        let sandbox = try IslandAssembly.makeSandbox(stateFolder: workshop.folder + "/cages")
        let result: Result<Results, any Error>
        do {
            result = .success(try await test(image, input, levels, workshop, sandbox))
        } catch {
            result = .failure(error)
        }
        await sandbox.shutdown()
        do { return try result.get() } catch let error as SandboxError { throw CommandFailure(.failed, error.message) }
    }

    private func test(
        _ image: PlatformImage, _ input: [UInt8], _ levels: [TrustLevel], _ workshop: Workshop, _ sandbox: RuncSandbox
    ) async throws -> Results {
        var options = UnpackOptions()
        options.idOffset = UInt32(sandbox.configuration.idOffset)
        let root = workshop.folder + "/root"
        try await LayerUnpacker(store: workshop.store, options: options).unpack(image, to: root)
        let trial = CargoTrial(sandbox: sandbox, root: root, configuration: image.configuration, timeoutSeconds: timeoutSeconds)
        var results = Results()
        for level in levels {
            do {
                results.reports.append(try await trial.run(input, level, echo: !output.json && levels.count == 1))
            } catch let error as SandboxError where allLevels && error.code == .levelNotEnforced {
                results.untried.append((level, error.message))
            }
        }
        if badInputs, let level = results.reports.first(where: \.passes)?.level ?? levels.first {
            for bad in BadInput.all(from: input) { results.inputs.append(.init(bad, try await trial.run(bad.bytes, level, echo: false))) }
        }
        // One that hangs at its widest level would hang here too.
        if !noSystemCalls, let last = results.reports.last, last.end.cause != .timedOut {
            results.calls = try await trial.recordCalls(input, last.level)
        }
        return results
    }

    private func show(_ results: Results) {
        let (reports, inputs) = (results.reports, results.inputs)
        var lines = reports.flatMap(\.lines)
        if allLevels {
            let passed = reports.first(where: \.passes).map { "It would live at level \($0.level.rawValue)." }
            lines += results.untried.map { "Level \($0.level.rawValue) was not tried: \($0.reason)" }
            lines += ["", passed ?? "It would live at none of these levels."]
        }
        if !inputs.isEmpty { lines += ["", "Bad input:"] + inputs.map(\.line) }
        lines += results.calls?.lines ?? []
        var object: JSONObject
        if allLevels {
            object = ["levels": .array(reports.map(\.json))]
            object["not_tried"] = .array(results.untried.map { ["trust_level": .int($0.level.rawValue), "reason": .string($0.reason)] })
        } else if let only = reports.first?.json.object {
            object = only
        } else {
            return
        }
        if let calls = results.calls { object["system_calls"] = calls.json }
        if badInputs { object["bad_inputs"] = .array(inputs.map(\.json)) }
        output.show(.object(object), lines)
    }
}

/// One unpacked image, to be run again and again.
private struct CargoTrial {
    let sandbox: RuncSandbox
    let root: String
    let configuration: ImageConfiguration
    let timeoutSeconds: Int?

    func run(_ input: [UInt8], _ level: TrustLevel, echo: Bool) async throws -> CargoTestReport {
        let transcript = TestTranscript(level: level, echo: echo)
        let end = try await sandbox.run(job(input, level)) { await transcript.receive($0) }
        return await transcript.report(end, level)
    }

    func recordCalls(_ input: [UInt8], _ level: TrustLevel) async throws -> CargoTestCalls {
        CargoTestCalls(record: try await sandbox.record(job(input, level)) { _ in }.calls)
    }

    private func job(_ input: [UInt8], _ level: TrustLevel) throws -> CagedJob {
        try CagedJob(
            id: ContainerID("test-\(UUID().uuidString.lowercased())"), rootFolder: root, command: configuration.entrypoint + configuration.cmd,
            environment: configuration.env, workingFolder: configuration.workingDirectory, level: level,
            timeout: timeoutSeconds.map { .seconds($0) }, input: input)
    }
}

/// Gathers what a tested Cargo writes.
private actor TestTranscript {
    private var inspector: TranscriptInspector
    private var frames = 0
    private var bytes = 0
    private var lastType: String?
    private var firstFrameAt: Duration?
    private let echo: Bool
    private let start = ContinuousClock.now

    init(level: TrustLevel, echo: Bool) {
        inspector = TranscriptInspector(
            limits: TranscriptLimits(frameBytesMax: level.limits.frameBytesMax, transcriptBytesMax: level.limits.transcriptBytesMax))
        self.echo = echo
    }

    func receive(_ chunk: [UInt8]) {
        bytes += chunk.count
        var new: [Frame] = []
        inspector.receive(chunk, into: &new)
        take(new)
    }

    private func take(_ new: [Frame]) {
        if !new.isEmpty { firstFrameAt = firstFrameAt ?? start.duration(to: .now) }
        frames += new.count
        lastType = new.last?.object["type"]?.string ?? lastType
        if echo { for frame in new { Terminal.say(Terminal.printable(String(decoding: frame.bytes, as: UTF8.self))) } }
    }

    func report(_ end: JobEnd, _ level: TrustLevel) -> CargoTestReport {
        var new: [Frame] = []
        var violations: [CargoTestReport.Violation] = []
        if case .exited(let code) = end.cause {
            inspector.finish(exitCode: code, into: &new)
            take(new)
        }
        if let (kind, message) = end.cause.violation(of: level.limits) {
            violations.append(.init(code: kind.rawValue, message: message, line: nil))
        }
        violations += inspector.violations.map { .init(code: $0.code.rawValue, message: $0.message, line: $0.line) }
        return CargoTestReport(
            level: level, end: end, frames: frames, bytes: bytes, firstFrameAt: firstFrameAt, lastType: lastType, violations: violations)
    }
}
