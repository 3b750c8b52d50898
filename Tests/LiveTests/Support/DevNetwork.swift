import Foundation
import JSON

/// One `archipelago dev` as an outside process.
final class DevNetwork: Sendable {
    let folder: String
    let process: ChildProcess
    let url: String
    let registry: String
    let keys: [String: String]
    let peer: HTTPPeer

    private init(folder: String, process: ChildProcess, ready: JSONValue) throws {
        self.folder = folder
        self.process = process
        url = try ready["url"]?.string.orThrow("url") ?? ""
        registry = try ready["registry"]?.string.orThrow("registry") ?? ""
        let members = try ready["keys"]?.object.orThrow("keys").members ?? []
        keys = Dictionary(uniqueKeysWithValues: members.compactMap { member in member.value.string.map { (member.name, $0) } })
        let port = try URL(string: url)?.port.orThrow("a port in \(url)") ?? 0
        peer = HTTPPeer(host: "127.0.0.1", port: port)
    }

    static let environment = ["ARCHIPELAGO_TRIVY_CACHE": Machine.scanFixtures + "/trivy-cache"]

    /// The process that would be a network on a folder; it may refuse.
    static func launch(folder: String, more: [String] = [], environment: [String: String] = [:]) throws -> ChildProcess {
        try Machine.requireReady()
        return try ChildProcess(
            try Machine.executable(), ["dev", "--json", "--port", "0", "--registry-port", "0", "--data-dir", folder] + more,
            environment: Self.environment.merging(environment) { $1 }, guarded: true)
    }

    /// Starts a network and returns once it says that it is ready.
    ///
    /// - Parameters:
    ///   - more: further arguments.
    ///   - environment: variables in place of the usual ones.
    static func start(folder: String, more: [String] = [], environment: [String: String] = [:]) async throws -> DevNetwork {
        let process = try launch(folder: folder, more: more, environment: environment)
        let line = try await pollUntil("the network is ready", within: .seconds(90)) { () -> String? in
            guard process.isRunning else { throw Unexpected("a running network; it ended: \(process.stderr)") }
            let output = process.stdout
            return output.contains("\n") ? output : nil
        }
        return try DevNetwork(folder: folder, process: process, ready: try JSONValue(parsing: line.trimmingCharacters(in: .newlines)))
    }

    /// Gives a test a network of its own, stopped and removed afterwards.
    static func withOwn(
        _ name: String, environment: [String: String] = [:], _ body: (DevNetwork) async throws -> Void
    ) async throws {
        let folder = try Machine.makeFolder(name)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let network = try await start(folder: folder, environment: environment)
        do { try await body(network) } catch {
            _ = try? await network.stop()
            throw error
        }
        _ = try await network.stop()
    }

    /// Ends the network in order.
    @discardableResult
    func stop(_ signal: Int32 = SIGTERM) async throws -> CommandResult {
        process.signal(signal)
        return try await process.end(within: .seconds(20))
    }

    /// The API with a person's key: `publisher`, `reviewer`, `consumer` or `admin`; no key for `nil`.
    func api(_ person: String?) -> API { API(peer: peer, key: person.map { keys[$0] ?? "missing" }) }

    var publisher: API { api("publisher") }
    var reviewer: API { api("reviewer") }
    var consumer: API { api("consumer") }
    var admin: API { api("admin") }

    /// Runs the command line against this network.
    func cli(
        _ arguments: String..., as person: String? = nil, input: String? = nil, within limit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        try await cli(arguments, as: person, input: input, within: limit)
    }

    /// - Parameter more: variables of the command's environment.
    func cli(
        _ arguments: [String], as person: String? = nil, adding more: [String: String] = [:], input: String? = nil,
        within limit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        var environment = Self.environment.merging(more) { $1 }
        environment["ARCHIPELAGO_URL"] = url
        environment["ARCHIPELAGO_API_KEY"] = person.map { keys[$0] ?? "" }
        return try await ChildProcess.run(try Machine.executable(), arguments, environment: environment, input: input, within: limit)
    }
}

/// The one network that most tests share. It lives as long as this process: its guard ends it when the pipe to here closes.
actor SharedNetwork {
    static let shared = SharedNetwork()
    private var starting: Task<DevNetwork, any Error>?

    static var network: DevNetwork {
        get async throws { try await shared.get() }
    }

    private func get() async throws -> DevNetwork {
        if let starting { return try await starting.value }
        // Unstructured: whoever asks first starts it, and everybody waits for the same one.
        let task = Task { try await DevNetwork.start(folder: try Machine.makeFolder("shared")) }
        starting = task
        return try await task.value
    }
}
