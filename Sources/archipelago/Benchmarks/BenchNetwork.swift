import Coordinator
import Domain
import Foundation
import IslandLink
import JSON
import Logging
import NIOCore
import ServiceLifecycle
import Storage
import WebSockets

/// A real coordinator in a temporary folder with one made-up Cargo, for measuring.
struct BenchNetwork: Sendable {
    let port: Int
    let consumerKey: String
    private let consumer: Principal
    private let assembly: CoordinatorAssembly
    private let folder: String
    private let group: ServiceGroup
    private let running: Task<Void, any Error>

    static func start() async throws -> BenchNetwork {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("archipelago-bench-\(UUID().uuidString)").path
        var logger = Logger.process("archipelago", default: .error)
        logger.logLevel = .error
        var configuration = CoordinatorConfiguration(dataFolder: folder, port: 0, scanning: .laptop([:]))
        configuration.requestsPerMinute = nil
        let assembly = try CoordinatorAssembly(configuration, logger: logger)
        let account = try await assembly.accounts.open(name: "bench", email: nil, standing: .firstParty, roles: [.admin])
        let consumer = Principal(accountID: account, scopes: [.read, .write, .admin])
        let key = try await assembly.accounts.issueKey(accountID: account, name: "bench", scopes: [.read, .write])
        _ = try await assembly.ledger.grant(try Ledger.Grant(["amount": .int(Transfer.creditsMax)]), to: account, by: consumer)
        try await assembly.database.write { try MadeUpCargo.publish(by: account, in: $0) }
        let listening = Once<Int>()
        let services = assembly.makeServices { listening.set($0) }
        let group = ServiceGroup(configuration: .init(services: services.map { .init(service: $0) }, logger: logger))
        // Unstructured: it runs until stop() ends it.
        let running = Task { try await group.run() }
        let port = try await listening.value
        return BenchNetwork(
            port: port, consumerKey: key, consumer: consumer, assembly: assembly, folder: folder, group: group, running: running)
    }

    var url: String { "http://127.0.0.1:\(port)" }

    func stop() async throws {
        await group.triggerGracefulShutdown()
        try await running.value
        try await assembly.close()
        // What stays is only a temporary folder.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Registers and connects a simulated Island.
    func connectIsland(_ name: String, slots: Int) async throws -> SimulatedIsland {
        let (_, token) = try await assembly.islands.register(name: name, by: consumer)
        let limits = WebSocketLimits(messageBytesMax: LinkLimits.messageBytesMax, frameBytesMax: LinkLimits.messageBytesMax)
        let connection = try await WebSocketClient.connect(
            url: url + "/api/v1/islands/link", headers: [(name: "Authorization", value: "Bearer \(token)")], limits: limits)
        let capabilities = IslandCapabilities(
            runtimes: [.container], levels: [.untrusted, .basic], cores: 64, memoryMegabytes: 1 << 20, vramMegabytes: 0, platform: "linux/amd64",
            region: "", slots: slots)
        try await connection.send(text: IslandMessage.hello(.init(capabilities: capabilities, attempts: [])).text)
        return SimulatedIsland(connection: connection)
    }
}

/// An Island that runs nothing and says at once that it did.
struct SimulatedIsland: Sendable {
    let connection: WebSocketConnection

    /// Answers every assignment with tokens and `done`, until the task is cancelled.
    ///
    /// - Parameter onEnd: told each job whose end the coordinator has on disk.
    func answerEverything(tokens: Int, onEnd: @Sendable (String) -> Void) async throws {
        for await message in connection.incoming {
            guard let (type, attempt) = message.text.flatMap(Self.begin(of:)) else { continue }
            if type == "assign" { try await answer(attempt, tokens) }
            if type == "settled" { onEnd(attempt.job) }
        }
    }

    /// What a message about an attempt begins with, without the cost of a parser that would be measured too:
    /// `{"type":"assign","job":"…","attempt":1` is how the coordinator writes it.
    private static func begin(of text: String) -> (type: String, attempt: AttemptID)? {
        let words = text.utf8.split(separator: UInt8(ascii: "\""), maxSplits: 11, omittingEmptySubsequences: false)
        guard words.count > 10, String(words[5]) == "job", String(words[9]) == "attempt" else { return nil }
        let number = words[10].dropFirst().prefix { (0x30...0x39).contains($0) }.reduce(0) { $0 * 10 + Int($1) - 0x30 }
        guard let type = String(words[3]), let job = String(words[7]) else { return nil }
        return (type, AttemptID(job: job, number: number))
    }

    private func answer(_ attempt: AttemptID, _ tokens: Int) async throws {
        try await connection.send(text: IslandMessage.started(attempt).text)
        var sent = 0
        while sent < tokens {
            let count = min(tokens - sent, LinkLimits.framesMax)
            let frames = (0..<count).map { JSONObject(dictionaryLiteral: ("type", "token"), ("content", .string("word \(sent + $0) "))) }
            try await connection.send(text: IslandMessage.frames(attempt, first: sent + 1, frames: frames).text)
            sent += count
        }
        try await connection.send(
            text: IslandMessage.finished(
                .init(
                    attempt: attempt, frames: tokens, done: ["type": "done"], failure: nil, runMilliseconds: 0, cpuMilliseconds: 0, peakMemoryBytes: 0
                )
            ).text)
    }
}
