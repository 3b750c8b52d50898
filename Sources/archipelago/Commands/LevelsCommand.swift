import ArgumentParser
import Domain
import JSON

/// `archipelago levels`.
struct LevelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "levels", abstract: "Show the trust levels and the limits that a Cargo of each lives within.")

    @Argument(help: "One level, 0 to 3; all without.") var level: Int?
    @OptionGroup var output: OutputOptions

    func run() throws {
        let levels = TrustLevel.allCases.filter { level == nil || $0.rawValue == level }
        guard !levels.isEmpty else { throw CommandFailure(.notFound, "There is no trust level \(level ?? 0); they are 0 to 3.") }
        output.show(.array(levels.map(Self.json)), levels.map(Self.line))
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
