public import Domain
public import OCI

/// Containers: the image is the root, and says itself what to start.
public struct ContainerRunner: WorkloadRunner {
    private let images: any ImageProvider

    /// A runner for the images of a provider.
    public init(images: any ImageProvider) { self.images = images }

    public var runtime: RuntimeType { .container }

    public func withWorkload<Value: Sendable>(
        _ reference: ImageReference, digest: Digest, _ body: @Sendable (CagedWorkload) async throws -> Value
    ) async throws -> Value {
        try await images.withImage(reference, digest: digest) { image in
            let configuration = image.configuration
            let command = configuration.entrypoint + configuration.cmd
            guard !command.isEmpty else { throw WorkloadError(code: "no_entrypoint", message: "The image names no program to start.") }
            return try await body(
                CagedWorkload(
                    rootFolder: image.rootFolder, command: command, environment: configuration.env, workingFolder: configuration.workingDirectory))
        }
    }
}
