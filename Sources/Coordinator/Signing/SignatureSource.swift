public import OCI
import SignedImages
public import Sigstore

/// Where signatures of images come from: the registries that the images are in.
public protocol SignatureSource: Sendable {
    /// What is stored beside the images of a repository.
    ///
    /// - Parameter image: any reference into the repository; its tag and digest are of no concern.
    /// - Returns: a source that throws ``OCIError`` where the registry does not answer.
    func signatures(beside image: ImageReference) -> any Sigstore.ImageSource
}

/// Signatures straight from the registries.
public struct RegistrySignatureSource: SignatureSource {
    private let client: RegistryClient

    /// A source that reads with a client.
    public init(client: RegistryClient) { self.client = client }

    public func signatures(beside image: ImageReference) -> any Sigstore.ImageSource {
        SignedRepository(client: client, image)
    }
}
