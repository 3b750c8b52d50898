import Foundation
import OCI
import Sandbox
import Scanning

/// What commands need to handle images on a publisher's machine: a content store in a temporary folder, and a registry client.
struct Workshop {
    let folder: String
    let store: ContentStore
    let client: RegistryClient

    /// Runs `body` with a workshop that is removed afterwards.
    static func use<Value>(_ body: (Workshop) async throws -> Value) async throws -> Value {
        await removeDead()
        let (folder, lock) = try make()
        defer { withExtendedLifetime(lock) {} }
        // What stays lies in the temporary folder, which the system empties.
        defer { try? FileManager.default.removeItem(atPath: folder) }
        do {
            let workshop = Workshop(
                folder: folder, store: try ContentStore(root: folder + "/blobs"), client: RegistryClient(configuration: .fromEnvironment()))
            let result: Result<Value, any Error>
            do { result = .success(try await body(workshop)) } catch { result = .failure(error) }
            try await workshop.client.shutdown()
            return try result.get()
        } catch let error as OCIError {
            throw CommandFailure(error)
        }
    }

    private static let folderPrefix = "archipelago-workshop-"

    /// Makes a workshop's folder. It has its name only once it is locked, so that no other process takes it for a dead one's.
    private static func make() throws -> (folder: String, lock: FolderLock) {
        let (files, id) = (FileManager.default, UUID().uuidString)
        let (unlocked, folder) = (NSTemporaryDirectory() + "archipelago-making-" + id, NSTemporaryDirectory() + folderPrefix + id)
        try files.createDirectory(atPath: unlocked, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let lock = try FolderLock(unlocked)
        try files.moveItem(atPath: unlocked, toPath: folder)
        return (folder, lock)
    }

    /// Whether a path is a folder of this user: everybody may leave things where temporary folders are.
    private static func isOwn(_ path: String) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return attributes?[.type] as? FileAttributeType == .typeDirectory && attributes?[.ownerAccountID] as? UInt == UInt(geteuid())
    }

    /// Removes workshops whose process was killed: containers, control groups and files.
    private static func removeDead() async {
        let (files, place) = (FileManager.default, NSTemporaryDirectory())
        for name in (try? files.contentsOfDirectory(atPath: place)) ?? [] where name.hasPrefix(folderPrefix) && isOwn(place + name) {
            // One that cannot be locked is alive.
            guard let lock = try? FolderLock(place + name) else { continue }
            for state in ["scanners", "cages"] where files.fileExists(atPath: "\(place)\(name)/\(state)") {
                // What cannot be removed is tried again by the next workshop.
                guard let sandbox = try? IslandAssembly.makeSandbox(stateFolder: "\(place)\(name)/\(state)") else { continue }
                await sandbox.removeLeftovers()
            }
            withExtendedLifetime(lock) {}
            try? files.removeItem(atPath: place + name)
        }
    }

    /// Whether a path is an image already: an OCI layout folder or a tar.
    static func isImage(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path + "/oci-layout") || path.hasSuffix(".tar")
    }

    /// The one image or artifact of a layout folder or tar.
    func importContent(_ path: String) async throws -> StoredContent {
        let contents = try await LayoutImporter(store: store).importContents(at: path)
        guard contents.count == 1, let content = contents.first else {
            throw CommandFailure(.usage, "'\(path)' holds \(contents.count) images; it must hold one.")
        }
        return content
    }

    /// An image from wherever it is: a layout folder, a tar, or a registry.
    func open(_ image: String) async throws -> StoredImage { try await openContent(image).requireImage() }

    /// An image or artifact from wherever it is: a layout folder, a tar, or a registry.
    func openContent(_ image: String) async throws -> StoredContent {
        if FileManager.default.fileExists(atPath: image) {
            if !Self.isImage(image), let packing = try ArtifactPacking(image) { return .artifact(try await build(packing)) }
            guard Self.isImage(image) else {
                throw CommandFailure(.usage, "'\(image)' is no OCI layout folder, no .tar and no model; pack it with 'archipelago cargo push'.")
            }
            return try await importContent(image)
        }
        let reference = try ImageReference(parsing: image)
        let pinned = reference.digest == nil ? reference.with(digest: try await client.resolve(reference).digest) : reference
        return try await ImagePuller(client: client, store: store).pullContent(pinned)
    }

    /// Packs files into an image.
    func build(_ recipe: ImageBuilder.Recipe) async throws -> StoredImage {
        let descriptor = try await ImageBuilder(store: store).build(recipe)
        return try await store.image(descriptor.digest)
    }

    /// Packs the files of a WebAssembly module or a model into an artifact.
    func build(_ packing: ArtifactPacking) async throws -> StoredArtifact {
        let kind = packing.kind
        return try await ArtifactBuilder(store: store).build(
            packing.files, mediaType: kind.mediaTypes[0], artifactType: kind == .wasm ? nil : kind.mediaTypes[0],
            configuration: kind == .wasm ? ArtifactPacking.wasmConfiguration : nil)
    }

    /// Pushes an image or an artifact.
    func push(_ content: StoredContent, to reference: ImageReference) async throws -> ImageReference {
        let pusher = ImagePusher(client: client, store: store)
        return switch content {
        case .image(let image): try await pusher.push(image, to: reference)
        case .artifact(let artifact): try await pusher.push(artifact, to: reference)
        }
    }

    /// The platform of this machine.
    static var hostPlatform: Platform {
        #if arch(arm64)
            .linuxARM64
        #else
            .linuxAMD64
        #endif
    }

    /// A platform such as `linux/amd64`.
    static func platform(_ text: String) throws -> Platform {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
            throw CommandFailure(.usage, "'\(text)' is no platform; it must look like linux/amd64.")
        }
        return Platform(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil)
    }
}

extension RegistryConfiguration {
    /// The standard configuration with the credentials that the environment names, for the one registry that it names:
    /// `ARCHIPELAGO_REGISTRY` (a host, such as `ghcr.io`), `ARCHIPELAGO_REGISTRY_USERNAME` and `ARCHIPELAGO_REGISTRY_PASSWORD`.
    static func fromEnvironment() -> RegistryConfiguration {
        var configuration = RegistryConfiguration()
        let environment = ProcessInfo.processInfo.environment
        if let host = environment["ARCHIPELAGO_REGISTRY"], let username = environment["ARCHIPELAGO_REGISTRY_USERNAME"],
            let password = environment["ARCHIPELAGO_REGISTRY_PASSWORD"]
        {
            configuration.credentials[host] = RegistryCredentials(username: username, password: password)
        }
        return configuration
    }
}

extension CommandFailure {
    /// A registry's or an image's refusal as the end of a command.
    init(_ error: OCIError) {
        let exit: CommandExit =
            switch error.code {
            case .notFound: .notFound
            case .registryUnavailable, .rateLimited: .unavailable
            case .invalidReference, .invalidDigest: .usage
            case .storageFailure: .failed
            default: .refused
            }
        self.init(exit, "\(error.message) [\(error.code.rawValue)]")
    }
}
