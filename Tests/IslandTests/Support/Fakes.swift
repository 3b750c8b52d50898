import Domain
import IslandLink
import JSON
import Logging
import Synchronization

@testable import Island
@testable import OCI
@testable import Sandbox

let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A sandbox whose runs a test writes itself.
final class FakeSandbox: CargoSandbox {
    typealias Run = @Sendable (CagedJob, @escaping @Sendable ([UInt8]) async throws -> Void) async throws -> JobEnd

    private let state: Mutex<(run: Run, jobs: [CagedJob])>

    init(_ run: @escaping Run) { state = Mutex((run, [])) }

    /// A run that writes these lines and exits.
    convenience init(writing lines: String..., exitCode: Int = 0) {
        self.init { _, output in
            for line in lines { try await output(Array((line + "\n").utf8)) }
            return .ended(.exited(code: exitCode))
        }
    }

    /// What was run so far.
    var jobs: [CagedJob] { state.withLock(\.jobs) }

    func run(_ job: CagedJob, onOutput: @escaping @Sendable ([UInt8]) async throws -> Void) async throws -> JobEnd {
        let run = state.withLock { state in
            state.jobs.append(job)
            return state.run
        }
        return try await run(job, onOutput)
    }

    func enforceableLevels() async -> [LevelReport] { TrustLevel.allCases.map { LevelReport(level: $0, obstacles: []) } }
}

extension JobEnd {
    static func ended(_ cause: EndCause) -> JobEnd {
        JobEnd(cause: cause, wallTime: .milliseconds(1500), cpuTime: .milliseconds(700), peakMemoryBytes: 4096, standardError: [])
    }
}

/// Images that are there at once, or not at all.
struct FakeImageProvider: ImageProvider {
    var failure: OCIError?
    var process = ImageConfiguration.Process(entrypoint: ["/cargo"], cmd: ["--fast"], env: ["A=b"], workingDirectory: "/work")

    func withImage<Value: Sendable>(
        _ reference: ImageReference, digest: Digest, _ body: @Sendable (PreparedImage) async throws -> Value
    ) async throws -> Value {
        if let failure { throw failure }
        return try await body(
            PreparedImage(
                rootFolder: "/images/\(digest.hex)", configuration: ImageConfiguration(platform: .linuxAMD64, process: process, diffIDs: [])))
    }
}

/// A kind that a program of the Island's runs, with the Cargo's file mounted.
struct FakeWasmRunner: WorkloadRunner {
    var runtime: RuntimeType { .wasm }

    func withWorkload<Value: Sendable>(
        _ reference: ImageReference, digest: Digest, _ body: @Sendable (CagedWorkload) async throws -> Value
    ) async throws -> Value {
        try await body(
            CagedWorkload(
                rootFolder: "/runners/wasm", command: ["/runner", "/module"],
                mounts: [ReadOnlyMount(source: "/blobs/\(digest.hex)", destination: "/module")]))
    }
}

enum Samples {
    static let attempt = AttemptID(job: "0199c0de-0000-7000-8000-000000000001", number: 1)
    static let digest = "sha256:" + String(repeating: "a", count: 64)

    static func assignment(
        _ attempt: AttemptID = attempt, runtime: RuntimeType = .container, image: String = "ghcr.io/archipelag-io/x:v1.0.0", digest: String = digest,
        level: TrustLevel = .untrusted, timeout: Int = 60_000
    ) -> CoordinatorMessage.Assignment {
        .init(
            attempt: attempt, slug: "my-cargo", runtime: runtime, image: image, digest: digest, level: level, timeoutMilliseconds: timeout,
            input: ["prompt": "Hello"])
    }

    static func runner(_ sandbox: any CargoSandbox, images: FakeImageProvider = FakeImageProvider(), levels: Set<TrustLevel> = [.untrusted, .basic])
        -> AttemptRunner
    {
        AttemptRunner(
            sandbox: sandbox, runners: [ContainerRunner(images: images), FakeWasmRunner()], approved: ApprovedRegistries(), levels: levels,
            logger: silent)
    }

    static func token(_ text: String) -> JSONObject { ["type": "token", "content": .string(text)] }
}

extension Holdings {
    /// All that there is to send now.
    func drain() -> [IslandMessage] {
        var messages: [IslandMessage] = []
        while let message = nextMessage() { messages.append(message) }
        return messages
    }
}
