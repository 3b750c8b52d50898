import ArgumentParser
import Foundation
import JSON

/// Where the coordinator is.
struct AddressOptions: ParsableArguments {
    @Option(help: "The coordinator's address (default: $ARCHIPELAGO_URL, else where you signed in, else http://127.0.0.1:8080).")
    var url: String?

    /// Chosen: where `archipelago dev` and `archipelago serve` listen.
    static let standard = "http://127.0.0.1:8080"

    /// The address that the flag, or else the environment, names.
    var named: String? {
        if let url { return url }
        guard let address = ProcessInfo.processInfo.environment["ARCHIPELAGO_URL"], !address.isEmpty else { return nil }
        return address
    }
}

/// Where the coordinator is and who asks.
struct CoordinatorOptions: ParsableArguments {
    @OptionGroup var place: AddressOptions

    @Option(help: "The API key (default: $ARCHIPELAGO_API_KEY, else the one that 'archipelago account sign-in' stored).")
    var apiKey: String?

    /// A client for the coordinator that the flags, or else the environment, or else the credentials file name.
    ///
    /// The stored key goes only to the coordinator that gave it, whatever the flags say.
    func client() throws -> APIClient {
        let environment = ProcessInfo.processInfo.environment
        let key = apiKey ?? environment["ARCHIPELAGO_API_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        if let address = place.named, let key { return try APIClient(address: address, key: key) }
        let stored = try CredentialFile(environment)?.load()
        if let key { return try APIClient(address: stored?.url ?? AddressOptions.standard, key: key) }
        guard let stored else {
            throw CommandFailure(.usage, "No API key: sign in with 'archipelago account sign-in', or set ARCHIPELAGO_API_KEY, or give --api-key.")
        }
        let client = try APIClient(address: stored.url, key: stored.key)
        if let address = place.named {
            let wanted = try APIClient(address: address, key: nil).address
            guard wanted == client.address else {
                throw CommandFailure(
                    .usage,
                    "No API key for \(wanted): you are signed in at \(client.address). Set ARCHIPELAGO_API_KEY, or sign out and sign in there.")
            }
        }
        return client
    }
}

/// Which part of a list is wanted.
struct PageOptions: ParsableArguments {
    @Option(help: "The most rows to show, 1 to 100.") var limit = 50
    @Option(help: "How many rows to pass over.") var offset = 0

    func validate() throws {
        guard (1...100).contains(limit) else { throw ValidationError("--limit is from 1 to 100.") }
        guard offset >= 0 else { throw ValidationError("--offset is at least 0.") }
    }
}

/// How answers are written.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Write JSON to stdout.")
    var json = false

    /// Writes JSON for programs, or lines for people.
    ///
    /// - Parameter styled: gives a line its colours; asked only where a person looks at a terminal that has them.
    func show(_ value: JSONValue, _ lines: @autoclosure () -> [String], styled: (String) -> String = { $0 }) {
        if json { return Terminal.say(value) }
        for line in lines() {
            let clean = Terminal.printable(line)
            Terminal.say(Terminal.hasColours ? styled(clean) : clean)
        }
    }

    /// Writes a page of a list: JSON with its envelope, or a table, or the words for an empty list.
    func show(list answer: JSONValue, empty: String, _ table: ([JSONValue]) -> Table) {
        let rows = answer["data"]?.array ?? []
        show(answer, rows.isEmpty ? [empty] : table(rows).lines(widthMax: Terminal.width))
        guard !json, let total = answer["meta"]?["total"]?.int, let offset = answer["meta"]?["offset"]?.int else { return }
        let end = offset + rows.count
        if end < total, !rows.isEmpty { Terminal.talk("\(offset + 1) to \(end) of \(total); --offset \(end) shows the next.") }
    }
}
