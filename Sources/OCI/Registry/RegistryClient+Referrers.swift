import NIOHTTP1

/// Manifests about manifests: signatures, SBOMs. Source: OCI distribution specification 1.1, "Listing Referrers", "Pushing Manifests with
/// Subject", and "Referrers Tag Schema" for registries without the referrers endpoint.
extension RegistryClient {
    /// The manifests that say they are about a manifest: signatures, SBOMs.
    ///
    /// Asks the referrers endpoint; where the registry has none, the tag `sha256-<hex>` of the fallback scheme. First page only.
    ///
    /// - Parameter reference: with the digest of the manifest.
    /// - Throws: as `manifest`, but nothing found gives an empty list.
    /// - Returns: descriptors, at most 64, none of them verified.
    public func referrers(of reference: ImageReference) async throws -> [Descriptor] {
        guard let (bytes, type) = try await referrersList(of: reference) else { return [] }
        return try Self.list(try ManifestDocument(parsing: bytes, declaredType: type))
    }

    /// The index of those manifests as the registry sends it, for who makes do with what can be read of it; `nil` where nothing belongs to the
    /// manifest.
    ///
    /// - Throws: as `manifestBytes`.
    public func referrersIndex(of reference: ImageReference) async throws -> [UInt8]? { try await referrersList(of: reference)?.bytes }

    private func referrersList(of reference: ImageReference) async throws -> (bytes: [UInt8], type: String?)? {
        let digest = try Self.subject(of: reference)
        let request = try self.request(
            .GET, reference, path: "referrers/\(digest)", access: .pull, headers: [("Accept", MediaType.ociIndex)])
        let response = try await send(request)
        switch response.status {
        case 200:
            let bytes = try await response.collect(max: ImageLimits().manifestBytesMax, place: "The list of referrers")
            return (bytes, response.headers.first(name: "Content-Type"))
        case 404: return try await taggedList(of: reference, digest)
        default: throw await failure(response, "The referrers of \(reference)", request)
        }
    }

    /// Pushes a document as an artifact about a manifest, so that whoever has the manifest's digest finds it.
    ///
    /// Where the registry does not list referrers itself, the fallback tag is moved to a list with the new one in it; the list is read again
    /// afterwards, and written again when another writer was in between.
    ///
    /// - Parameters:
    ///   - bytes: the document.
    ///   - artifactType: the type of the artifact, which is the document's media type too.
    ///   - subject: the manifest it is about.
    ///   - reference: the repository of the subject; its tag and digest do not matter.
    ///   - annotations: free notes.
    /// - Throws: registry errors as `manifest`; `protocol_violation` when other writers won every time; `limit_exceeded` when the list is
    ///   full.
    /// - Returns: the artifact's descriptor.
    @discardableResult
    public func attach(
        _ bytes: [UInt8], artifactType: String, to subject: Descriptor, in reference: ImageReference, annotations: [String: String] = [:]
    ) async throws -> Descriptor {
        // Without the tag: a push to it would move it from the image to this.
        let repository = reference.with(digest: subject.digest).withoutTag()
        let config = try await pushBlob(Array("{}".utf8), mediaType: MediaType.ociEmpty, to: repository)
        let layer = try await pushBlob(bytes, mediaType: artifactType, to: repository)
        let about = Descriptor(mediaType: subject.mediaType, digest: subject.digest, size: subject.size)
        let manifest = try JSONDocument.encode(
            ImageManifest(
                config: config, layers: [layer], artifactType: artifactType, subject: about, annotations: annotations.isEmpty ? nil : annotations))
        let pushed = try await putManifest(
            manifest, mediaType: MediaType.ociManifest, to: repository.with(digest: .sha256(of: manifest)))
        let descriptor = Descriptor(
            mediaType: MediaType.ociManifest, digest: pushed.descriptor.digest, size: pushed.descriptor.size, artifactType: artifactType,
            annotations: annotations)
        if !pushed.isListed { try await list(descriptor, under: repository, subject.digest) }
        return descriptor
    }

    /// Writers that may be in between. Chosen: more than coordinators that attach to one image at one moment.
    private static let listTriesMax = 5

    private func list(_ descriptor: Descriptor, under reference: ImageReference, _ subject: Digest) async throws {
        for _ in 0..<Self.listTriesMax {
            let known = try await taggedReferrers(of: reference, subject)
            if known.contains(where: { $0.digest == descriptor.digest }) { return }
            guard known.count < ImageLimits().manifestsMax else {
                throw OCIError(.limitExceeded, "The image \(subject) has \(known.count) referrers already; no more can be listed.")
            }
            let index = try JSONDocument.encode(ImageIndex(manifests: known + [descriptor]))
            try await pushManifest(index, mediaType: MediaType.ociIndex, to: try Self.fallback(reference, subject))
        }
        guard try await taggedReferrers(of: reference, subject).contains(where: { $0.digest == descriptor.digest }) else {
            throw OCIError(.protocolViolation, "The list of referrers of \(subject) is changed by others all the time; try again later.")
        }
    }

    private func taggedReferrers(of reference: ImageReference, _ digest: Digest) async throws -> [Descriptor] {
        guard let (bytes, type) = try await taggedList(of: reference, digest) else { return [] }
        return try Self.list(try ManifestDocument(parsing: bytes, declaredType: type))
    }

    private func taggedList(of reference: ImageReference, _ digest: Digest) async throws -> (bytes: [UInt8], type: String?)? {
        do {
            let list = try await checkedManifest(try Self.fallback(reference, digest))
            return (list.bytes, list.type)
        } catch let error as OCIError where error.code == .notFound {
            return nil
        }
    }

    private static func fallback(_ reference: ImageReference, _ digest: Digest) throws -> ImageReference {
        try reference.with(tag: "\(digest.algorithm.rawValue)-\(digest.hex)")
    }

    private static func subject(of reference: ImageReference) throws(OCIError) -> Digest {
        guard let digest = reference.digest else {
            throw OCIError(.invalidReference, "\(reference) has no digest; referrers belong to a digest.")
        }
        return digest
    }

    private static func list(_ document: ManifestDocument) throws(OCIError) -> [Descriptor] {
        guard case .index(let index, _) = document else {
            throw OCIError(.malformedDocument, "The registry's list of referrers is no index.")
        }
        return index.manifests
    }
}
