public import Domain

/// The name of a container: 1 to 64 of `a`–`z`, `0`–`9` and `-`, not starting with `-`.
public struct ContainerID: Sendable, Hashable, CustomStringConvertible {
    /// The name.
    public let text: String

    /// - Throws: ``SandboxError`` `invalid_job` for any other text.
    public init(_ text: String) throws {
        let isWellFormed =
            (1...64).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "-")
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        guard isWellFormed else { throw SandboxError(.invalidJob, "A container's name is 1 to 64 of a-z, 0-9 and -.", cause: text) }
        self.text = text
    }

    /// The name.
    public var description: String { text }
}

/// One run of a Cargo, described completely. A value that exists is within every bound.
public struct CagedJob: Sendable {
    /// The container's name, unique among the jobs that run.
    public let id: ContainerID
    /// Absolute path of the unpacked image. It is shared and never written, but for the folders `proc`, `dev` and `tmp`, which
    /// are made where they are missing. An owner in the image is the same number plus `RuncConfiguration.idOffset` on the host,
    /// and every folder above must let others through (`o+x`).
    public let rootFolder: String
    /// Entry point and arguments; a first part without `/` is looked for in `PATH`. 1 to 256 parts, at most 64 KiB.
    public let command: [String]
    /// The image's variables, each `NAME=VALUE`, at most 256 and 64 KiB. The sandbox's own win over them.
    public let environment: [String]
    /// Absolute path inside the image.
    public let workingFolder: String
    /// What the Cargo may use.
    public let level: TrustLevel
    /// Wall-clock time from the start of the Cargo to its end, above 0 and at most the level's.
    public let timeout: Duration
    /// What the cage shows beside the image, at most 16: a runner's program, the files of a Cargo that is no container. Their places must be there
    /// in a root that cannot be written to.
    public let mounts: [ReadOnlyMount]
    /// All that the Cargo reads from standard input. It is written as far as the Cargo reads, then closed.
    public let input: [UInt8]

    /// Most parts of a command, and most variables. Chosen: far above what images have, far below what the kernel takes.
    public static let partsMax = 256
    /// Most bytes of a command, and of all variables. Chosen: half of the 128 KiB that the kernel takes as one argument.
    public static let textBytesMax = 65536

    /// - Parameter timeout: clamped to the level's limit; `nil` is the level's limit.
    /// - Throws: ``SandboxError`` `invalid_job` naming the bound that is broken.
    public init(
        id: ContainerID, rootFolder: String, command: [String], environment: [String] = [], workingFolder: String = "/",
        level: TrustLevel, timeout: Duration? = nil, mounts: [ReadOnlyMount] = [], input: [UInt8]
    ) throws {
        // An image that names no working folder means the root (OCI Image Specification, config, "WorkingDir").
        let workingFolder = workingFolder.isEmpty ? "/" : workingFolder
        try Self.check(command, what: "command")
        try Self.check(environment, what: "environment")
        guard let program = command.first, !program.isEmpty else { throw SandboxError(.invalidJob, "The image has no command.") }
        guard environment.allSatisfy({ $0.utf8.contains(UInt8(ascii: "=")) && !$0.hasPrefix("=") }) else {
            throw SandboxError(.invalidJob, "A variable of the image is not NAME=VALUE.")
        }
        for (path, what) in [(rootFolder, "root folder"), (workingFolder, "working folder")] {
            guard path.hasPrefix("/"), path.utf8.count < 4096, !path.utf8.contains(0) else {
                throw SandboxError(.invalidJob, "The \(what) is not an absolute path.", cause: path)
            }
        }
        guard mounts.count <= Self.mountsMax, mounts.allSatisfy({ Self.isPlain($0.source) && Self.isPlain($0.destination) }) else {
            throw SandboxError(.invalidJob, "The mounts are more than \(Self.mountsMax), or not of plain absolute paths.")
        }
        let longest = level.limits.timeout
        let wanted = timeout ?? longest
        guard wanted > .zero else { throw SandboxError(.invalidJob, "A job needs a time above 0.") }
        self.id = id
        self.rootFolder = rootFolder
        self.command = command
        self.environment = environment
        self.workingFolder = workingFolder
        self.level = level
        self.timeout = min(wanted, longest)
        self.mounts = mounts
        self.input = input
    }

    /// Chosen: a runner, its libraries and a model are three.
    private static let mountsMax = 16

    /// Whether a path leads from the root by names alone, and over nothing that the cage makes itself.
    private static func isPlain(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return path.utf8.count < 4096 && parts.count > 1 && parts[0].isEmpty && !path.utf8.contains(0)
            && parts.dropFirst().allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." } && parts[1] != "proc" && parts[1] != "dev"
    }

    private static func check(_ texts: [String], what: String) throws {
        guard texts.count <= partsMax else { throw SandboxError(.invalidJob, "The \(what) has more than \(partsMax) parts.") }
        guard texts.reduce(0, { $0 + $1.utf8.count + 1 }) <= textBytesMax else {
            throw SandboxError(.invalidJob, "The \(what) is longer than \(textBytesMax) bytes.")
        }
        guard !texts.contains(where: { $0.utf8.contains(0) }) else { throw SandboxError(.invalidJob, "The \(what) holds a zero byte.") }
    }
}
