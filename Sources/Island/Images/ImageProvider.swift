public import OCI

/// An image made ready to run.
public struct PreparedImage: Sendable, Hashable {
    /// The unpacked root folder, shared by all jobs of the image and never written to.
    public let rootFolder: String
    /// What the image says of its process.
    public let configuration: ImageConfiguration

    /// An image made ready to run.
    public init(rootFolder: String, configuration: ImageConfiguration) {
        self.rootFolder = rootFolder
        self.configuration = configuration
    }
}

/// Makes images ready to run.
public protocol ImageProvider: Sendable {
    /// Fetches an image by digest, checks every byte of it, and unpacks it; quick when that was done before.
    ///
    /// - Throws: `OCIError`.
    func prepare(_ reference: ImageReference, digest: Digest) async throws -> PreparedImage
}
