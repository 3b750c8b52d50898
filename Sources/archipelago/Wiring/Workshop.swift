import Foundation
import OCI

/// What commands need to handle images on a publisher's machine: a content store in a temporary folder, and a registry client.
struct Workshop {
    let folder: String
    let store: ContentStore
    private let client: RegistryClient

    /// Runs `body` with a workshop that is removed afterwards.
    static func use<Value>(_ body: (Workshop) async throws -> Value) async throws -> Value {
        let folder = NSTemporaryDirectory() + "archipelago-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
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

    /// Whether a path is an image already: an OCI layout folder or a tar.
    static func isImage(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path + "/oci-layout") || path.hasSuffix(".tar")
    }

    /// The one image of a layout folder or tar.
    func importImage(_ path: String) async throws -> StoredImage {
        let images = try await LayoutImporter(store: store).importImages(at: path)
        guard images.count == 1, let image = images.first else {
            throw CommandFailure(.usage, "'\(path)' holds \(images.count) images; it must hold one.")
        }
        return image
    }

    /// An image from wherever it is: a layout folder, a tar, or a registry.
    func open(_ image: String) async throws -> StoredImage {
        if FileManager.default.fileExists(atPath: image) {
            guard Self.isImage(image) else { throw CommandFailure(.usage, "'\(image)' is no OCI layout folder and no .tar.") }
            return try await importImage(image)
        }
        let reference = try ImageReference(parsing: image)
        let pinned = reference.digest == nil ? reference.with(digest: try await client.resolve(reference).digest) : reference
        return try await ImagePuller(client: client, store: store).pull(pinned)
    }

    /// Packs files into an image.
    func build(_ recipe: ImageBuilder.Recipe) async throws -> StoredImage {
        let descriptor = try await ImageBuilder(store: store).build(recipe)
        return try await store.image(descriptor.digest)
    }

    /// Pushes an image.
    func push(_ image: StoredImage, to reference: ImageReference) async throws -> ImageReference {
        try await ImagePusher(client: client, store: store).push(image, to: reference)
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
