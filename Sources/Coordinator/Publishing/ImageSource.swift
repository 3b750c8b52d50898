import Domain
public import OCI

/// Where images come from: the registries, as the coordinator needs them.
public protocol ImageSource: Sendable {
    /// The digest that a reference's tag points to now.
    ///
    /// - Throws: ``OCIError``: `notFound`, `unauthorized`, `registryUnavailable` and others.
    func resolve(_ reference: ImageReference) async throws -> Digest

    /// Fetches an image or artifact by digest into the content store, every byte checked.
    func fetch(_ reference: ImageReference, digest: Digest) async throws -> StoredContent

    /// Attaches a document to a manifest in its registry, for whoever looks there.
    ///
    /// - Parameter own: what this network attached before: one of the same type that is still there stays, and nothing is attached. What
    ///   others have attached counts for nothing: whoever may push can say what they like.
    /// - Throws: ``OCIError`` when the registry does not take it.
    /// - Returns: the attached artifact, this one or the one from before.
    func attach(
        _ bytes: [UInt8], mediaType: String, to subject: Descriptor, of reference: ImageReference, unlessThere own: Set<Digest>
    ) async throws -> Descriptor

    /// Lets go of everything fetched but these images, so that what nobody needs does not fill the coordinator's disk. Not while an
    /// image is fetched.
    func keepOnly(_ digests: [Digest]) async throws
}

extension ServiceError {
    /// What a registry's refusal means to a publisher who named an image.
    init(image: ImageReference, error: OCIError) {
        switch error.code {
        case .notFound:
            self.init(
                .invalid, code: "image_not_found", "The registry does not have \(image); push it, or correct the name and tag.",
                details: [Problem("/container_image", "is not in its registry")], cause: error.cause)
        case .unauthorized, .forbidden:
            self.init(
                .invalid, code: "image_not_readable", "The registry does not let this network read \(image); make the image readable.",
                details: [Problem("/container_image", "cannot be read from its registry")], cause: error.cause)
        case .registryUnavailable, .rateLimited:
            self.init(
                .unavailable, code: "registry_unavailable", "The registry of \(image) does not answer: \(error.message). Try again later.",
                cause: error.cause)
        default:
            self.init(
                .invalid, code: "image_refused", "The image \(image) cannot be taken: \(error.message)",
                details: [Problem("/container_image", error.message)], cause: error.cause)
        }
    }
}
