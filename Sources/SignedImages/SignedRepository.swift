public import OCI
public import Sigstore

/// A repository of a registry, with the images and signatures in it.
public struct SignedRepository: ImageSource {
    private let client: RegistryClient
    private let repository: ImageReference

    /// A repository.
    ///
    /// - Parameter reference: its tag and digest do not matter.
    public init(client: RegistryClient, _ reference: ImageReference) {
        self.client = client
        repository = reference.withoutTag()
    }

    public func manifest(digest: String) async throws -> [UInt8]? {
        try await Self.orNone { try await client.manifestBytes(repository.with(digest: try Digest(digest))) }
    }

    public func manifest(tag: String) async throws -> [UInt8]? {
        try await Self.orNone { try await client.manifestBytes(repository.with(tag: tag)) }
    }

    public func blob(digest: String, size: Int) async throws -> [UInt8]? {
        try await Self.orNone {
            let descriptor = Descriptor(mediaType: "application/octet-stream", digest: try Digest(digest), size: Int64(size))
            return try await client.blob(descriptor, of: repository, max: size)
        }
    }

    public func referrers(of digest: String) async throws -> [Referrer] {
        let index = try await Self.orNone { try await client.referrersIndex(of: repository.with(digest: try Digest(digest))) }
        return try index.map(Referrer.all(in:)) ?? []
    }

    /// What the registry has; `nil` for nothing. What it has and cannot be used is the fault of what is stored there, and refused.
    private static func orNone(_ read: () async throws -> [UInt8]?) async throws -> [UInt8]? {
        do { return try await read() } catch let error as OCIError {
            if error.code == .notFound { return nil }
            throw Refusal(error) ?? error
        }
    }
}

extension Refusal {
    /// What a registry sent that cannot be used; `nil` for an error that says nothing of what is stored there.
    public init?(_ error: OCIError) {
        switch error.code {
        case .digestMismatch, .sizeMismatch: self.init(.digestMismatch, error.message)
        case .invalidReference, .invalidDigest, .malformedDocument, .unsupportedMediaType, .limitExceeded: self.init(.imageMalformed, error.message)
        case .registryUnavailable, .rateLimited, .unauthorized, .forbidden, .protocolViolation, .notFound, .diffIDMismatch, .hostileLayer,
            .missingBlob, .storageFailure, .noMatchingPlatform:
            return nil
        }
    }
}
