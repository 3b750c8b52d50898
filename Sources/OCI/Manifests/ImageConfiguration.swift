/// What an image says about how to run it. Source: OCI image specification 1.1, config.md.
public struct ImageConfiguration: Hashable, Sendable, Codable {
    /// Processor in Go's words.
    public let architecture: String
    /// Operating system in Go's words.
    public let os: String
    /// Variant of the processor, or `nil`.
    public let variant: String?
    /// `Entrypoint`; empty when absent.
    public let entrypoint: [String]
    /// `Cmd`; empty when absent.
    public let cmd: [String]
    /// `Env`, each `NAME=value`; empty when absent. Outside text: check it before it becomes a process's environment.
    public let env: [String]
    /// `WorkingDir`; empty when absent.
    public let workingDirectory: String
    /// `User`: name or number, perhaps `:group`; empty means root.
    public let user: String
    /// `Labels`; empty when absent.
    public let labels: [String: String]
    /// `rootfs.diff_ids`: digests of the layers' uncompressed bytes, lowest layer first.
    public let diffIDs: [Digest]

    /// Makes a configuration.
    ///
    /// - Parameters:
    ///   - platform: what the image is made for.
    ///   - process: entry point, arguments, environment, working directory and user.
    ///   - labels: free notes.
    ///   - diffIDs: digests of the layers' uncompressed bytes, lowest first.
    public init(platform: Platform, process: Process, labels: [String: String] = [:], diffIDs: [Digest]) {
        self.architecture = platform.architecture
        self.os = platform.os
        self.variant = platform.variant
        self.entrypoint = process.entrypoint
        self.cmd = process.cmd
        self.env = process.env
        self.workingDirectory = process.workingDirectory
        self.user = process.user
        self.labels = labels
        self.diffIDs = diffIDs
    }

    /// What is started in a container of the image.
    public struct Process: Hashable, Sendable {
        /// Program and its first arguments.
        public var entrypoint: [String]
        /// Further arguments, which a caller may replace.
        public var cmd: [String]
        /// `NAME=value` strings.
        public var env: [String]
        /// Absolute folder, or empty for `/`.
        public var workingDirectory: String
        /// User, or empty for root.
        public var user: String

        /// Makes a process description; everything is empty unless given.
        public init(
            entrypoint: [String] = [], cmd: [String] = [], env: [String] = [], workingDirectory: String = "", user: String = ""
        ) {
            self.entrypoint = entrypoint
            self.cmd = cmd
            self.env = env
            self.workingDirectory = workingDirectory
            self.user = user
        }
    }

    /// The platform that the configuration names.
    public var platform: Platform { Platform(os: os, architecture: architecture, variant: variant) }

    private enum CodingKeys: String, CodingKey {
        case architecture, os, variant, config, rootfs
    }

    private struct Execution: Codable {
        var entrypoint: [String]?
        var cmd: [String]?
        var env: [String]?
        var workingDirectory: String?
        var user: String?
        var labels: [String: String]?

        enum CodingKeys: String, CodingKey {
            case entrypoint = "Entrypoint"
            case cmd = "Cmd"
            case env = "Env"
            case workingDirectory = "WorkingDir"
            case user = "User"
            case labels = "Labels"
        }
    }

    private struct RootFileSystem: Codable {
        var type: String
        var diffIDs: [Digest]

        enum CodingKeys: String, CodingKey {
            case type
            case diffIDs = "diff_ids"
        }
    }

    /// Decodes the JSON object; unknown fields are ignored, `null` is as good as absent in `config`.
    ///
    /// - Throws: `DecodingError` for a wrong shape, `OCIError` for a bad diff id.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        architecture = try container.decode(String.self, forKey: .architecture)
        os = try container.decode(String.self, forKey: .os)
        variant = try container.decodeIfPresent(String.self, forKey: .variant)
        let execution = try container.decodeIfPresent(Execution.self, forKey: .config)
        entrypoint = execution?.entrypoint ?? []
        cmd = execution?.cmd ?? []
        env = execution?.env ?? []
        workingDirectory = execution?.workingDirectory ?? ""
        user = execution?.user ?? ""
        labels = execution?.labels ?? [:]
        diffIDs = try container.decode(RootFileSystem.self, forKey: .rootfs).diffIDs
    }

    /// Encodes the JSON object; what is empty is left out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(architecture, forKey: .architecture)
        try container.encode(os, forKey: .os)
        try container.encodeIfPresent(variant, forKey: .variant)
        try container.encode(
            Execution(
                entrypoint: entrypoint.isEmpty ? nil : entrypoint, cmd: cmd.isEmpty ? nil : cmd, env: env.isEmpty ? nil : env,
                workingDirectory: workingDirectory.isEmpty ? nil : workingDirectory, user: user.isEmpty ? nil : user,
                labels: labels.isEmpty ? nil : labels),
            forKey: .config)
        try container.encode(RootFileSystem(type: "layers", diffIDs: diffIDs), forKey: .rootfs)
    }
}
