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
    var grype: String?
    var grypeDatabase: String?
    var scanners: [String]?
    var sbom: String?
    var scansAtOnce: Int?
    var scanTimeoutSeconds: Int?
    var databaseWarningDays: Int?
    var databaseDaysMax: Int?
    var criticalGraceHours: Int?
    var highGraceHours: Int?
    var platformFeePercent: Int?
    var requestsPerMinute: Int?
    var signInsPerMinute: Int?
    var mailCommand: [String]?
    var mailFrom: String?
    var allowsLoopback: Bool?
    var trustedRoot: String?

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
        case "grype": entry.take(entry.value.scalar?.string, "a text", into: &grype)
        case "grype_database": entry.take(entry.value.scalar?.string, "a text", into: &grypeDatabase)
        case "scanners": entry.take(entry.scanners, "a list with trivy, and grype if it is to run", into: &scanners)
        case "sbom": entry.take(entry.word(of: ScanningConfiguration.BillingTool.self), "trivy or syft", into: &sbom)
        case "scans_at_once": entry.take(entry.positive, "a number from 1 on", into: &scansAtOnce)
        case "scan_timeout_seconds": entry.take(entry.positive, "a number from 1 on", into: &scanTimeoutSeconds)
        case "database_warning_days": entry.take(entry.positive, "a number from 1 on", into: &databaseWarningDays)
        case "database_days_max": entry.take(entry.positive, "a number from 1 on", into: &databaseDaysMax)
        case "critical_grace_hours": entry.take(entry.count, "a number from 0 on", into: &criticalGraceHours)
        case "high_grace_hours": entry.take(entry.count, "a number from 0 on", into: &highGraceHours)
        case "platform_fee_percent": entry.take(entry.percent, "a number from 0 to 100", into: &platformFeePercent)
        case "requests_per_minute": entry.take(entry.count, "a number from 0 on", into: &requestsPerMinute)
        case "sign_ins_per_minute": entry.take(entry.count, "a number from 0 on", into: &signInsPerMinute)
        case "mail_command": entry.take(entry.texts, "a list of texts", into: &mailCommand)
        case "mail_from": entry.take(entry.value.scalar?.string, "a text", into: &mailFrom)
        case "allow_loopback": entry.take(entry.value.bool, "true or false", into: &allowsLoopback)
        case "trusted_root": entry.take(entry.value.scalar?.string, "a text", into: &trustedRoot)
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

        /// A number from 0 to 100.
        var percent: Int? { value.int.flatMap { (0...100).contains($0) ? $0 : nil } }

        /// A number of at least 1, and at most 1,000,000.
        var positive: Int? { value.int.flatMap { (1...1_000_000).contains($0) ? $0 : nil } }

        /// One word of a closed set.
        func word<Word: RawRepresentable>(of type: Word.Type) -> String? where Word.RawValue == String {
            value.scalar.flatMap { Word(rawValue: $0.string) }?.rawValue
        }

        /// Names of scanners; Trivy is never missing.
        var scanners: [String]? {
            typealias Name = ScanningConfiguration.ScannerName
            guard let texts, texts.contains(Name.trivy.rawValue), texts.allSatisfy({ Name(rawValue: $0) != nil }) else { return nil }
            return texts
        }

        func take<Value>(_ found: Value?, _ kind: String, into field: inout Value?) -> String? {
            field = found
            return found == nil ? "\(place) must be \(kind)" : nil
        }
    }
}
