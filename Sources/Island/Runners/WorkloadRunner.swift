public import Domain
public import OCI
public import Sandbox

/// Makes Cargos of one kind ready to run in a cage.
///
/// A container brings its own programs. Other kinds are run by a program of the Island's, the runner, which is put into the same cage: its folder is
/// the root, and the Cargo's files are mounted into it read-only. Whatever the kind, there is one cage, one set of limits and one protocol.
public protocol WorkloadRunner: Sendable {
    /// The kind.
    var runtime: RuntimeType { get }

    /// Fetches a Cargo by digest, checks every byte of it, and lends the body what a cage needs for it.
    ///
    /// - Throws: `OCIError`; ``WorkloadError`` for a Cargo that this kind cannot be; what the body throws.
    func withWorkload<Value: Sendable>(
        _ reference: ImageReference, digest: Digest, _ body: @Sendable (CagedWorkload) async throws -> Value
    ) async throws -> Value
}

/// What a cage needs of a Cargo.
public struct CagedWorkload: Sendable, Hashable {
    /// The unpacked root, there while the workload is lent.
    public let rootFolder: String
    /// The program and its arguments.
    public let command: [String]
    /// Variables, each `NAME=VALUE`.
    public let environment: [String]
    /// Inside the root.
    public let workingFolder: String
    /// What the root shows beside its own files. Their places must be there in a root that cannot be written to.
    public let mounts: [ReadOnlyMount]

    /// A workload.
    public init(rootFolder: String, command: [String], environment: [String] = [], workingFolder: String = "/", mounts: [ReadOnlyMount] = []) {
        self.rootFolder = rootFolder
        self.command = command
        self.environment = environment
        self.workingFolder = workingFolder
        self.mounts = mounts
    }
}

/// A Cargo that its kind cannot be; its publisher's mistake.
public struct WorkloadError: Error, Sendable, Hashable {
    /// A stable name: `no_entrypoint`.
    public let code: String
    /// What is wrong, in a sentence.
    public let message: String

    /// A mistake.
    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }
}
