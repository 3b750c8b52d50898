public import OCI

/// An image made ready to run.
public struct PreparedImage: Sendable, Hashable {
    /// The unpacked root folder, shared by all jobs of the image and never written to; there while the image is lent.
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
    /// Fetches an image by digest, checks every byte of it, unpacks it, and lends it to the body; quick when that was done before.
    ///
    /// - Throws: `OCIError`; what the body throws.
    func withImage<Value: Sendable>(
        _ reference: ImageReference, digest: Digest, _ body: @Sendable (PreparedImage) async throws -> Value
    ) async throws -> Value
}
