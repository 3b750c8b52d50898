import Foundation
import Yams

/// The configuration file of `serve`.
struct ServeFile {
    var dataDir: String?
    var host: String?
    var port: Int?
    var approvedRegistries: [String]?
    var trivy: String?
    var trivyCache: String?
    var requestsPerMinute: Int?
    var signInsPerMinute: Int?
    var mailCommand: [String]?
    var mailFrom: String?
    var allowsLoopback: Bool?

    init() {}

    /// Reads the file; all that is wrong in it is told at once.
    init(path: String) throws {
        guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8) else {
            throw CommandFailure(.notFound, "There is no readable configuration file '\(path)'.")
        }
        let node: Node?
        do { node = try compose(yaml: text) } catch { throw CommandFailure(.usage, "\(path) is not YAML: \(error)") }
        guard let node else { return }
        guard let mapping = node.mapping else { throw CommandFailure(.usage, "\(path) must hold keys and values.") }
        var mistakes: [String] = []
        for (key, value) in mapping {
            let entry = Entry(place: "line \(value.mark?.line ?? 0): \(key.string ?? "?")", value: value)
            if let mistake = read(key.string ?? "", entry) { mistakes.append(mistake) }
        }
        guard mistakes.isEmpty else { throw CommandFailure(.usage, "\(path) is wrong:\n  " + mistakes.joined(separator: "\n  ")) }
    }

    /// Takes one entry over; returns what is wrong with it.
    private mutating func read(_ key: String, _ entry: Entry) -> String? {
        switch key {
        case "data_dir": entry.take(entry.value.scalar?.string, "a text", into: &dataDir)
        case "host": entry.take(entry.value.scalar?.string, "a text", into: &host)
        case "port": entry.take(entry.value.int, "a number", into: &port)
        case "approved_registries": entry.take(entry.texts, "a list of texts", into: &approvedRegistries)
        case "trivy": entry.take(entry.value.scalar?.string, "a text", into: &trivy)
        case "trivy_cache": entry.take(entry.value.scalar?.string, "a text", into: &trivyCache)
        case "requests_per_minute": entry.take(entry.count, "a number from 0 on", into: &requestsPerMinute)
        case "sign_ins_per_minute": entry.take(entry.count, "a number from 0 on", into: &signInsPerMinute)
        case "mail_command": entry.take(entry.texts, "a list of texts", into: &mailCommand)
        case "mail_from": entry.take(entry.value.scalar?.string, "a text", into: &mailFrom)
        case "allow_loopback": entry.take(entry.value.bool, "true or false", into: &allowsLoopback)
        default: "\(entry.place) is not a known key"
        }
    }

    /// A key's value and where it stands.
    private struct Entry {
        let place: String
        let value: Node

        /// A list of texts; `nil` for anything else.
        var texts: [String]? {
            guard let sequence = value.sequence else { return nil }
            let texts = sequence.compactMap(\.scalar?.string)
            return texts.count == sequence.count ? texts : nil
        }

        /// A number that is not negative.
        var count: Int? { value.int.flatMap { $0 >= 0 ? $0 : nil } }

        func take<Value>(_ found: Value?, _ kind: String, into field: inout Value?) -> String? {
            field = found
            return found == nil ? "\(place) must be \(kind)" : nil
        }
    }
}
