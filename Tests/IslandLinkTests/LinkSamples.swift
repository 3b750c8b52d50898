import Domain
import IslandLink
import JSON

/// Messages that use every field, at their ordinary and their extreme values.
enum LinkSamples {
    static let attempt = AttemptID(job: "0199c0de-0000-7000-8000-000000000001", number: 1)
    static let oddAttempt = AttemptID(job: "ä\"\\\u{1}🚢", number: Int.max)

    static let capabilities = IslandCapabilities(
        runtimes: [.container, .wasm], levels: [.untrusted, .basic, .official], cores: 8, memoryMegabytes: 16_384, vramMegabytes: 24_576,
        platform: "linux/amd64", region: "eu-central", slots: 4,
        registries: ["ghcr.io/archipelag-io", "127.0.0.1:5000"])
    static let smallest = IslandCapabilities(
        runtimes: [], levels: [], cores: 1, memoryMegabytes: 0, vramMegabytes: 0, platform: "", region: "", slots: 1)

    static let frame: JSONObject = ["type": "token", "content": "Hällo\n", "n": .number(JSONNumber(1.5)), "deep": [[["x": nil]]], "flag": true]

    static func finished(done: JSONObject?, failure: JobFailure?) -> IslandMessage {
        .finished(
            .init(
                attempt: attempt, frames: 7, done: done, failure: failure, runMilliseconds: 86_400_000, cpuMilliseconds: 0, peakMemoryBytes: Int.max))
    }

    static let fromIsland: [IslandMessage] = [
        .hello(.init(capabilities: capabilities, attempts: [], images: ["sha256:1", "sha256:2"])),
        .hello(.init(capabilities: smallest, attempts: [attempt, oddAttempt])),
        .hello(.init(version: 99, capabilities: capabilities, attempts: [])), .heartbeat([]), .heartbeat([attempt, oddAttempt]), .started(attempt),
        .started(oddAttempt), .frames(attempt, first: 1, frames: [frame]),
        .frames(attempt, first: 1_000_000, frames: Array(repeating: frame, count: LinkLimits.framesMax)),
        finished(done: ["type": "done"], failure: nil),
        finished(done: ["type": "done", "usage": ["tokens": 2]], failure: nil),
        finished(done: nil, failure: JobFailure(fault: .cargo, code: "out_of_memory", message: "It needed \"more\".")),
        finished(done: nil, failure: JobFailure(fault: .island, code: "", message: "")),
    ]

    static let fromCoordinator: [CoordinatorMessage] =
        [
            .welcome(island: "i", resume: []),
            .welcome(
                island: "i", resume: [.init(attempt: attempt, storedUpTo: 0), .init(attempt: oddAttempt, storedUpTo: LinkLimits.frameNumberMax)]),
            .stored(attempt, upTo: 0), .stored(attempt, upTo: LinkLimits.frameNumberMax), .cancel(attempt), .settled(oddAttempt),
            .revoked([]), .revoked(["sha256:1", "ä"]),
            .assign(
                .init(
                    attempt: attempt, slug: "s", runtime: .container, image: "i", digest: "d", level: .verified, timeoutMilliseconds: 1, input: [:],
                    signers: [.key("-----BEGIN PUBLIC KEY-----\n"), .identity("ä@example.org", issuer: "https://issuer.example")])),
        ]
        + TrustLevel.allCases.flatMap { level in
            RuntimeType.allCases.map { runtime in
                .assign(
                    .init(
                        attempt: attempt, slug: "my-cargo", runtime: runtime, image: "ghcr.io/archipelag-io/x:v1.0.0",
                        digest: "sha256:" + String(repeating: "a", count: 64), level: level, timeoutMilliseconds: 60_000, input: frame))
            }
        }
}

extension JSONObject {
    /// The object with a member changed; `nil` removes it.
    func with(_ name: String, _ value: JSONValue?) -> JSONObject {
        var object = self
        object[name] = value
        return object
    }
}
