import ArgumentParser
import Domain
import Foundation
import Island
import JSON
import Logging
import OCI
import Sandbox
import UnixSignals

/// `archipelago chaos island`: an Island's real agent whose Cargos only count.
struct ChaosIsland: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "island", abstract: "An Island of the harness.", shouldDisplay: false)

    @Option var url: String
    @Option var slots = 64

    func run() async throws {
        let token = ProcessInfo.processInfo.environment["ARCHIPELAGO_ISLAND_TOKEN"] ?? ""
        let logger = Logger.process("archipelago", default: .error)
        let runner = AttemptRunner(
            sandbox: CountingSandbox(), runners: [ImagelessRunner()], approved: ApprovedRegistries(), levels: [.untrusted, .basic], logger: logger)
        let capabilities = IslandCapabilities(
            runtimes: [.container], levels: [.untrusted, .basic], cores: 8, memoryMegabytes: 1 << 16, vramMegabytes: 0, platform: "linux/amd64",
            region: "", slots: slots)
        let agent = IslandAgent(
            link: WebSocketLink(coordinator: url, token: token), runner: runner, capabilities: capabilities, clock: ContinuousClock(),
            jitter: { Double.random(in: 0..<1) }, logger: logger)
        try await agent.run()
    }
}

/// Makes nothing ready.
private struct ImagelessRunner: WorkloadRunner {
    var runtime: RuntimeType { .container }

    func withWorkload<Value: Sendable>(
        _ reference: ImageReference, digest: Digest, _ body: @Sendable (CagedWorkload) async throws -> Value
    ) async throws -> Value {
        try await body(CagedWorkload(rootFolder: "/nowhere", command: ["/count"]))
    }
}

/// Runs no program: says as many tokens as the input's `count`, each after `pause_ms`, an image of `image_bytes`, and `done`.
private struct CountingSandbox: CargoSandbox {
    func run(_ job: CagedJob, onOutput: @escaping @Sendable ([UInt8]) async throws -> Void) async throws -> JobEnd {
        let input = try JSONValue(parsing: job.input)
        let clock = ContinuousClock()
        let start = clock.now
        for number in 0..<(input["count"]?.int ?? 0) {
            try await clock.sleep(for: .milliseconds(input["pause_ms"]?.int ?? 0))
            try await onOutput(Array("{\"type\":\"token\",\"content\":\"\(number) \"}\n".utf8))
        }
        // Too large for a row of the coordinator's database.
        if let bytes = input["image_bytes"]?.int {
            let data = String(repeating: "A", count: bytes)
            try await onOutput(Array("{\"type\":\"image\",\"data\":\"\(data)\",\"format\":\"png\",\"width\":1,\"height\":1}\n".utf8))
        }
        try await onOutput(Array("{\"type\":\"done\"}\n".utf8))
        return JobEnd(cause: .exited(code: 0), wallTime: clock.now - start, cpuTime: .zero, peakMemoryBytes: 0, standardError: [])
    }

    func enforceableLevels() async -> [LevelReport] { [] }
}
