import Foundation
import NIOCore
import NIOHTTP1

extension RegistryClient {
    /// Pushes a blob of a store; one that the registry has already is not sent.
    ///
    /// - Parameters:
    ///   - descriptor: the blob.
    ///   - store: where it is.
    ///   - reference: the repository; its tag and digest do not matter.
    /// - Throws: `missing_blob`, `size_mismatch`, `storage_failure`, and registry errors as `manifest`.
    public func pushBlob(_ descriptor: Descriptor, from store: ContentStore, to reference: ImageReference) async throws {
        if try await hasBlob(descriptor.digest, in: reference) { return }
        let file = try await store.queue.run { _ in try store.openBlocking(descriptor) }
        try await upload(descriptor, to: reference) { offset, size in
            .file(FileRange(file: file, offset: offset, size: size), store.queue)
        }
    }

    /// Pushes a small blob from memory; one that the registry has already is not sent.
    ///
    /// - Parameters:
    ///   - bytes: the blob.
    ///   - mediaType: its media type, for the descriptor that is returned.
    ///   - reference: the repository.
    /// - Throws: registry errors as `manifest`.
    /// - Returns: the blob's descriptor.
    @discardableResult
    public func pushBlob(_ bytes: [UInt8], mediaType: String, to reference: ImageReference) async throws -> Descriptor {
        let descriptor = Descriptor(mediaType: mediaType, digest: .sha256(of: bytes), size: Int64(bytes.count))
        if try await hasBlob(descriptor.digest, in: reference) { return descriptor }
        try await upload(descriptor, to: reference) { offset, size in .bytes(Array(bytes[Int(offset)..<Int(offset + size)])) }
        return descriptor
    }

    /// Pushes a manifest or index; the blobs and manifests it names were pushed before.
    ///
    /// - Parameters:
    ///   - bytes: the document.
    ///   - mediaType: its media type.
    ///   - reference: with a tag, or without for a push by digest alone. A digest in it must be that of `bytes`.
    /// - Throws: `digest_mismatch` when the reference or the registry names another digest; registry errors as `manifest`.
    /// - Returns: the manifest's descriptor.
    @discardableResult
    public func pushManifest(_ bytes: [UInt8], mediaType: String, to reference: ImageReference) async throws -> Descriptor {
        try await putManifest(bytes, mediaType: mediaType, to: reference).descriptor
    }

    /// Pushes a manifest, and says whether the registry now lists it as a referrer of its subject.
    func putManifest(
        _ bytes: [UInt8], mediaType: String, to reference: ImageReference
    ) async throws -> (descriptor: Descriptor, isListed: Bool) {
        let digest = hash(bytes, like: reference.digest)
        if let wanted = reference.digest, wanted != digest {
            throw OCIError(.digestMismatch, "The manifest to push is \(digest), but the reference names \(wanted).")
        }
        let selector = reference.tag ?? digest.description
        var request = try self.request(
            .PUT, reference, path: "manifests/\(selector)", access: .push, headers: [("Content-Type", mediaType)])
        request.body = .bytes(bytes)
        let response = try await send(request)
        guard response.status == 201 || response.status == 200 else { throw await failure(response, "Pushing \(reference)", request) }
        if let header = response.headers.first(name: "Docker-Content-Digest"), try Digest(header) != hash(bytes, like: try Digest(header)) {
            throw OCIError(.digestMismatch, "The registry \(reference.registry) stored another manifest than was pushed.")
        }
        let isListed = response.headers.first(name: "OCI-Subject") != nil
        return (Descriptor(mediaType: mediaType, digest: digest, size: Int64(bytes.count)), isListed)
    }

    /// Whether the registry has a blob.
    func hasBlob(_ digest: Digest, in reference: ImageReference) async throws -> Bool {
        // Asked with the push's rights, so that one token serves the whole push.
        let request = try self.request(.HEAD, reference, path: "blobs/\(digest)", access: .push)
        let response = try await send(request)
        switch response.status {
        case 200: return true
        case 404: return false
        default: throw await failure(response, "The blob \(digest) of \(reference.name)", request)
        }
    }

    /// Starts over with a new upload after a broken one.
    private func upload(
        _ descriptor: Descriptor, to reference: ImageReference, part: (_ offset: Int64, _ size: Int64) -> RegistryRequest.Body
    ) async throws {
        var attempt = 1
        while true {
            do {
                return try await uploadOnce(descriptor, to: reference, part: part)
            } catch let error as OCIError where error.code == .registryUnavailable && attempt < configuration.attemptsMax {
                try await waitBeforeRetry(attempt: attempt)
                attempt += 1
            }
        }
    }

    /// POST, as many PATCH as there are chunks, PUT. Source: distribution specification 1.1, "Pushing a blob in chunks".
    private func uploadOnce(
        _ descriptor: Descriptor, to reference: ImageReference, part: (_ offset: Int64, _ size: Int64) -> RegistryRequest.Body
    ) async throws {
        let what = "Pushing a blob to \(reference.name)"
        let start = try self.request(.POST, reference, path: "blobs/uploads/", access: .push)
        var response = try await send(start)
        guard response.status == 202 else { throw await failure(response, what, start) }
        var place = try uploadPlace(response, start)
        let smallest = response.headers.first(name: "OCI-Chunk-Min-Length").flatMap { Int64($0) } ?? 0
        let chunk = max(configuration.uploadChunkBytes, min(smallest, ImageLimits().layerBytesMax))
        var offset: Int64 = 0
        while offset < descriptor.size {
            let size = min(chunk, descriptor.size - offset)
            var headers = [("Content-Type", "application/octet-stream")]
            // Only for several chunks: some registries do not know the header and take one whole body.
            if size < descriptor.size { headers.append(("Content-Range", "\(offset)-\(offset + size - 1)")) }
            var timeout = configuration.requestTimeout
            timeout += .seconds(size / configuration.transferBytesPerSecondMin)
            let request = RegistryRequest(
                method: .PATCH, url: place, policy: start.policy, reference: reference, access: .push, headers: headers,
                body: part(offset, size), isRepeatable: false, timeout: timeout)
            response = try await send(request)
            guard response.status == 202 || response.status == 204 else { throw await failure(response, what, request) }
            place = try uploadPlace(response, request)
            offset += size
        }
        let separator = place.absoluteString.contains("?") ? "&" : "?"
        guard let end = URL(string: "\(place.absoluteString)\(separator)digest=\(descriptor.digest)") else {
            throw OCIError(.protocolViolation, "The registry \(reference.registry) named an upload place that is no web address.")
        }
        let finish = RegistryRequest(
            method: .PUT, url: end, policy: start.policy, reference: reference, access: .push, headers: [],
            isRepeatable: false, timeout: configuration.requestTimeout)
        response = try await send(finish)
        guard response.status == 201 || response.status == 204 else { throw await failure(response, what, finish) }
    }

    private func uploadPlace(_ response: RegistryResponse, _ request: RegistryRequest) throws(OCIError) -> URL {
        guard let location = response.headers.first(name: "Location") else {
            throw OCIError(.protocolViolation, "The registry \(request.reference.registry) named no place for an upload.")
        }
        return try request.policy.url(for: location, from: response.url)
    }
}
