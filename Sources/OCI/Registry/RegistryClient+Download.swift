import AsyncHTTPClient
import NIOCore
import NIOHTTP1

extension RegistryClient {
    /// Fetches a blob into a store, hashed and counted as it arrives.
    ///
    /// A transfer that breaks off goes on where it stopped when the registry allows ranges, and else from the start; at most
    /// `attemptsMax` times. Already in the store: nothing is fetched. After a failure or cancellation nothing is left behind.
    ///
    /// - Parameters:
    ///   - descriptor: digest and size that the bytes must have.
    ///   - reference: the repository; its tag and digest do not matter.
    ///   - store: where the blob goes.
    ///   - bytesMax: largest blob accepted, in bytes.
    /// - Throws: `size_mismatch`, `digest_mismatch`, `limit_exceeded`, `storage_failure`, and registry errors as `manifest`.
    public func download(
        _ descriptor: Descriptor, of reference: ImageReference, into store: ContentStore, bytesMax: Int64 = ImageLimits().layerBytesMax
    ) async throws {
        if store.size(of: descriptor.digest) == descriptor.size { return }
        let ingest = try await BlobIngest(store: store, descriptor: descriptor, bytesMax: bytesMax)
        do {
            var attempt = 1
            while true {
                do {
                    try await transfer(descriptor, of: reference, into: ingest)
                    try await ingest.commit()
                    return
                } catch let error as OCIError where error.code == .registryUnavailable && attempt < configuration.attemptsMax {
                    try await waitBeforeRetry(attempt: attempt)
                    attempt += 1
                }
            }
        } catch {
            await ingest.abandon()
            throw error
        }
    }

    /// One request for what is still missing.
    private func transfer(_ descriptor: Descriptor, of reference: ImageReference, into ingest: BlobIngest) async throws {
        let received = await ingest.count
        if received == descriptor.size, received > 0 { return }
        var request = try self.request(.GET, reference, path: "blobs/\(descriptor.digest)", access: .pull)
        if received > 0 { request.headers.append(("Range", "bytes=\(received)-")) }
        let response = try await send(request)
        switch response.status {
        case 200:
            if received > 0 { try await ingest.restart() }
        case 206:
            guard received > 0, Self.rangeStart(response.headers.first(name: "Content-Range")) == received else {
                throw OCIError(.protocolViolation, "The registry \(reference.registry) sent another part of a blob than asked for.")
            }
        default:
            throw await failure(response, "The blob \(descriptor.digest) of \(reference.name)", request)
        }
        let start = await ingest.count
        if let length = response.headers.first(name: "Content-Length").flatMap({ Int64($0) }), length != descriptor.size - start {
            throw OCIError(
                .sizeMismatch,
                "The registry \(reference.registry) announces \(length) bytes for the blob \(descriptor.digest) instead of \(descriptor.size - start)."
            )
        }
        let seconds = descriptor.size / configuration.transferBytesPerSecondMin
        let deadline = timing.uptime() + configuration.requestTimeout + .seconds(seconds)
        do {
            for try await piece in response.body {
                try await ingest.append(Array(piece.readableBytesView))
                guard timing.uptime() < deadline else {
                    throw OCIError(.registryUnavailable, "The registry \(reference.registry) sends the blob \(descriptor.digest) too slowly.")
                }
            }
        } catch {
            throw TransportFailure.error(error, host: reference.registry)
        }
    }

    /// First byte of `bytes first-last/total`.
    private static func rangeStart(_ header: String?) -> Int64? {
        guard let header, header.hasPrefix("bytes ") else { return nil }
        return Int64(header.dropFirst(6).prefix { $0 != "-" })
    }
}
