import Domain
import FoundationEssentials
import Glibc
import SandboxKernel

/// The state folder of an ``EngineSandbox``: the name of its containers and images in the engine, and the files that Podman reads.
struct EngineState: Sendable {
    /// The value of the owner's label: 16 hexadecimal digits, the same after a restart.
    let owner: String
    /// The seccomp profile, JSON.
    let profile: String
    let files: ContainerRequest.Files
    /// Held locked for the life of the sandbox: two owners of one name would remove each other's containers.
    private let lock: Descriptor

    /// - Parameter random: makes the owner's name, once.
    init(folder: String, random: () -> UInt64) throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            // Podman's own processes read the files as root; nobody else needs to.
            try checked("chmod", folder) { chmod(folder, 0o700) == 0 ? 0 : -errno }
        } catch {
            throw SandboxError(.systemCall, "The sandbox's state folder cannot be made.", cause: "\(error)")
        }
        lock = try Descriptor.open(folder + "/lock", O_RDWR | O_CREAT, mode: 0o600)
        guard kernel_lock_exclusively(lock.number) == 0 else {
            throw SandboxError(.unavailable, "Another process uses the sandbox's state folder.", cause: folder)
        }
        owner = try Self.owner(folder + "/owner", random)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        profile = String(decoding: try encoder.encode(RuntimeSpecification.Seccomp.outer(.default, for: .current)), as: UTF8.self)
        files = ContainerRequest.Files(profile: folder + "/seccomp.json", hosts: folder + "/hosts")
        try SmallFiles.write(Array(profile.utf8), to: files.profile, create: true)
        try SmallFiles.write(Array("127.0.0.1 localhost cargo\n::1 localhost cargo\n".utf8), to: files.hosts, create: true)
        // The Cargo reads this one.
        try checked("chmod", files.hosts) { chmod(files.hosts, 0o644) == 0 ? 0 : -errno }
    }

    private static func owner(_ path: String, _ random: () -> UInt64) throws -> String {
        // A file that is not there, or was cut off by a crash, names nobody.
        if let text = try? SmallFiles.read(path), text.utf8.count == 16, text.allSatisfy(\.isHexDigit) { return text }
        let text = hexadecimal(random())
        try SmallFiles.write(Array(text.utf8), to: path, create: true)
        return text
    }

    /// 16 digits.
    static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    func containerName(_ id: ContainerID) -> String { "archipelago-\(owner)-\(id)" }

    /// The job of a container, `nil` for a name that is none of this owner's.
    func job(of container: String) -> String? {
        let prefix = "archipelago-\(owner)-"
        return container.hasPrefix(prefix) ? String(container.dropFirst(prefix.count)) : nil
    }

    /// A name for an image, with a host that no registry has, so that no engine ever asks one for it.
    func imageName(_ number: UInt64) -> String { "localhost/archipelago-\(owner):\(Self.hexadecimal(number))" }
}
