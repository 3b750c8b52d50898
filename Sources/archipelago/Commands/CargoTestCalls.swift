import Domain
import JSON
import Sandbox

/// Which system calls of a tested Cargo each level forbids.
struct CargoTestCalls {
    let record: CallRecord

    private static let profiles: [(levels: String, profile: SeccompProfile)] = [
        ("level 0", .minimal), ("levels 1 and 2", .default), ("level 3", .network),
    ]

    /// Chosen: a line that a person still reads; `--json` has all.
    private static let namesMax = 12

    var json: JSONValue {
        .array(
            record.entries.map { entry in
                var object: JSONObject = ["call": .string(entry.call.description), "count": .int(entry.count)]
                for profile in SeccompProfile.allCases { object[profile.rawValue] = .string(entry.call.verdict(under: profile).text) }
                return .object(object)
            })
    }

    var lines: [String] {
        ["", "System calls that a level forbids (docs/SYSTEM_CALLS.md says why):"]
            + Self.profiles.flatMap { levels, profile in
                let forbidden = record.forbidden(under: profile)
                guard !forbidden.isEmpty else { return ["  \(levels): none"] }
                let verdicts = [CallVerdict.kills, .refused, .noSuchCall]
                return verdicts.compactMap { verdict in
                    let calls = forbidden.filter { $0.verdict == verdict }.map { "\($0.entry.call) ×\($0.entry.count)" }
                    guard !calls.isEmpty else { return nil }
                    let more = calls.count > Self.namesMax ? " and \(calls.count - Self.namesMax) more" : ""
                    return "  \(levels): \(Self.words(verdict)) \(calls.prefix(Self.namesMax).joined(separator: ", "))\(more)"
                }
            }
    }

    private static func words(_ verdict: CallVerdict) -> String {
        switch verdict {
        case .kills: "ended by"
        case .refused: "answered with EPERM:"
        case .noSuchCall: "answered with ENOSYS:"
        case .allowed, .allowedIf: "allowed:"
        }
    }
}
