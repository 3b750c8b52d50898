import Coordinator
import Domain
import Foundation
import JSON

/// What the laptop network remembers between runs, readable by its owner only: the keys it shows, the Island's token, and
/// the ports, so that image references of an earlier run still lead to the registry.
struct DevState {
    var keys: [String: String]
    var islandToken: String
    var port: Int?
    var registryPort: Int?

    /// Who gets a key, under which name, and what account and key may do.
    private static let people: [(name: String, roles: Set<Role>, scopes: Set<Scope>)] = [
        ("publisher", [], [.read, .write]), ("reviewer", [.reviewer], [.read, .review]), ("consumer", [], [.read, .write]),
        ("admin", [.admin], [.read, .write, .review, .admin]),
    ]

    /// Gives each person credits, once; a network of an earlier version has none.
    func endow(_ assembly: CoordinatorAssembly) async throws {
        for key in keys.values {
            let principal = try await assembly.accounts.authenticate(secret: key)
            guard try await assembly.ledger.statement(page: Page(limit: 1), for: principal).total == 0 else { continue }
            _ = try await assembly.ledger.grant(
                Ledger.Grant(["amount": .int(Self.credits), "note": "for the laptop network"]), to: principal.accountID,
                by: Principal(accountID: "system", scopes: [.admin]))
        }
    }

    /// What each of them can spend. Chosen: more than anybody tries out, and far from the ledger's end.
    private static let credits = 1_000_000_000

    private static func path(_ folder: String) -> String { folder + "/dev.json" }

    /// The state of an earlier run; `nil` on the first.
    static func load(_ folder: String) throws -> DevState? {
        guard let data = FileManager.default.contents(atPath: path(folder)) else { return nil }
        // What is wrong inside matters less than which file it is.
        guard case .object(let object)? = try? JSONValue(parsing: data), let keys = object["keys"]?.object, let token = object["island_token"]?.string
        else { throw CommandFailure(.failed, "\(path(folder)) cannot be read; delete the folder to begin anew.") }
        let pairs = keys.members.compactMap { member in member.value.string.map { (member.name, $0) } }
        return DevState(
            keys: Dictionary(pairs) { first, _ in first }, islandToken: token, port: object["port"]?.int,
            registryPort: object["registry_port"]?.int)
    }

    /// The state of a first run: accounts, their keys, and an Island.
    static func create(_ assembly: CoordinatorAssembly) async throws -> DevState {
        var keys: [String: String] = [:]
        var owner = Principal(accountID: "", scopes: [])
        for (name, roles, scopes) in people {
            let account = try await assembly.accounts.open(
                name: name, email: try EmailAddress("\(name)@localhost"), standing: .community, roles: roles)
            keys[name] = try await assembly.accounts.issueKey(accountID: account, name: "dev", scopes: scopes)
            owner = Principal(accountID: account, scopes: scopes)
        }
        let (_, token) = try await assembly.islands.register(name: "this machine", by: owner)
        return DevState(keys: keys, islandToken: token)
    }

    /// Writes the state so that it is whole or absent.
    func save(_ folder: String) throws {
        let url = URL(fileURLWithPath: Self.path(folder))
        let object: JSONObject = [
            "keys": keysJSON, "island_token": .string(islandToken), "port": .optional(port), "registry_port": .optional(registryPort),
        ]
        let beside = url.appendingPathExtension("new")
        unlink(beside.path)
        let descriptor = open(beside.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CommandFailure(.failed, "\(beside.path) cannot be written.") }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try file.write(contentsOf: Data(object.bytes))
        try file.synchronize()
        guard rename(beside.path, url.path) == 0 else { throw CommandFailure(.failed, "\(url.path) cannot be written.") }
    }

    /// The keys in a fixed order.
    var keysJSON: JSONValue {
        var object = JSONObject()
        for (name, _, _) in Self.people { object[name] = .optional(keys[name]) }
        return .object(object)
    }
}
