import ArgumentParser
import Foundation
import JSON

/// Where the coordinator is and who asks.
struct CoordinatorOptions: ParsableArguments {
    @Option(help: "The coordinator's address (default: $ARCHIPELAGO_URL, else http://127.0.0.1:8080).")
    var url: String?

    @Option(help: "The API key (default: $ARCHIPELAGO_API_KEY).")
    var apiKey: String?

    /// A client for the coordinator that the flags, or else the environment, name.
    func client() throws -> APIClient {
        let environment = ProcessInfo.processInfo.environment
        let address = url ?? environment["ARCHIPELAGO_URL"] ?? "http://127.0.0.1:8080"
        guard let key = apiKey ?? environment["ARCHIPELAGO_API_KEY"], !key.isEmpty else {
            throw CommandFailure(.usage, "No API key: give --api-key, or set ARCHIPELAGO_API_KEY.")
        }
        return try APIClient(address: address, key: key)
    }
}

/// How answers are written.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Write JSON to stdout.")
    var json = false

    /// Writes JSON for programs, or lines for people.
    func show(_ value: JSONValue, _ lines: @autoclosure () -> [String]) {
        if json { Terminal.say(value) } else { for line in lines() { Terminal.say(Terminal.printable(line)) } }
    }
}
