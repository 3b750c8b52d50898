import ArgumentParser
import Domain
import JSON
import Sandbox

/// `archipelago levels`.
struct LevelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "levels", abstract: "Show the trust levels and the limits that a Cargo of each lives within.")

    @Argument(help: "One level, 0 to 3; all without.") var level: Int?
    @Flag(help: "Show what each level does with every system call, as Markdown; with --json as data.") var systemCalls = false
    @OptionGroup var output: OutputOptions

    func run() throws {
        if systemCalls { return try showCalls() }
        let levels = TrustLevel.allCases.filter { level == nil || $0.rawValue == level }
        guard !levels.isEmpty else { throw CommandFailure(.notFound, "There is no trust level \(level ?? 0); they are 0 to 3.") }
        output.show(.array(levels.map(Self.json)), levels.map(Self.line))
    }

    private func showCalls() throws {
        guard level == nil else { throw CommandFailure(.usage, "--system-calls shows all levels; leave out the level.") }
        let calls = CallTable.calls.map { name -> JSONValue in
            var object: JSONObject = ["name": .string(name)]
            for profile in SeccompProfile.allCases { object[profile.rawValue] = .string(CallTable.verdict(of: name, under: profile).text) }
            object["reason"] = .string(CallTable.reason(for: name))
            return .object(object)
        }
        output.show(.array(calls), CallTable.markdown.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init))
    }

    private static func json(_ level: TrustLevel) -> JSONValue {
        let limits = level.limits
        return [
            "trust_level": .int(level.rawValue), "tier": .string(level.tier.rawValue), "sandbox_profile": .string(level.sandboxProfile.rawValue),
            "memory_bytes": .int(limits.memoryBytes), "timeout_seconds": .int(Int(limits.timeout.components.seconds)), "cpus": .int(limits.cpus),
            "processes": .int(limits.processes), "temporary_bytes": .int(limits.temporaryBytes), "frame_bytes_max": .int(limits.frameBytesMax),
            "transcript_bytes_max": .int(limits.transcriptBytesMax), "network": .bool(limits.network), "gpu": .bool(limits.gpu),
            "seccomp": .string(limits.seccomp.rawValue), "signature_required": .bool(level.requiresSignature),
        ]
    }

    private static func line(_ level: TrustLevel) -> String {
        let limits = level.limits
        let head = "Level \(level.rawValue) (\(level.tier.rawValue), \(level.sandboxProfile.rawValue))"
        let amounts =
            "\(limits.memoryBytes >> 20) MiB memory, \(limits.timeout.components.seconds) s, \(limits.cpus) CPU, \(limits.processes) processes"
        let rights = "network \(limits.network ? "on" : "off"), GPU \(limits.gpu ? "on" : "off"), seccomp \(limits.seccomp.rawValue)"
        return "\(head): \(amounts), /tmp \(limits.temporaryBytes >> 20) MiB, \(rights), signature \(level.requiresSignature ? "" : "not ")required"
    }
}
