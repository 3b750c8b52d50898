import Foundation
import Testing

@testable import OCI

@Suite struct ContentStoreTests {
    let folder = TemporaryFolder()

    func descriptor(_ bytes: [UInt8], size: Int64? = nil) -> Descriptor {
        Descriptor(mediaType: "x", digest: .sha256(of: bytes), size: size ?? Int64(bytes.count))
    }

    struct Pieces: AsyncSequence, Sendable {
        let pieces: [[UInt8]]
        var failure: OCIError?

        struct Iterator: AsyncIteratorProtocol {
            var rest: ArraySlice<[UInt8]>
            let failure: OCIError?

            mutating func next() async throws -> [UInt8]? {
                if rest.isEmpty, let failure { throw failure }
                return rest.popFirst()
            }
        }

        func makeAsyncIterator() -> Iterator { Iterator(rest: pieces[...], failure: failure) }
    }

    func leftovers() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder("store/ingest")) }

    @Test func keepsAndReads() async throws {
        let store = try ContentStore(root: folder("store"))
        let digest = try await store.store([1, 2, 3])
        #expect(store.contains(digest))
        #expect(store.size(of: digest) == 3)
        #expect(try await store.read(digest, max: 3) == [1, 2, 3])
        #expect(await code { _ = try await store.read(digest, max: 2) } == "limit_exceeded")
        #expect(await code { _ = try await store.read(.sha256(of: [9]), max: 2) } == "missing_blob")
        #expect(try await store.digests() == [digest])
        #expect(try leftovers().isEmpty)
        try await store.remove(digest)
        #expect(!store.contains(digest))
    }

    @Test(
        arguments: [
            ([[1, 2], [3]], [1, 2, 3], 3, "no error"),
            ([[1, 2], [3, 4]], [1, 2, 3], 3, "size_mismatch"),
            ([[1, 2]], [1, 2, 3], 3, "size_mismatch"),
            ([[1, 2], [4]], [1, 2, 3], 3, "digest_mismatch"),
            ([], [], 0, "no error"),
        ] as [([[UInt8]], [UInt8], Int64, String)])
    func checksWhatArrives(pieces: [[UInt8]], wanted: [UInt8], size: Int64, expected: String) async throws {
        let store = try ContentStore(root: folder("store"))
        #expect(await code { try await store.ingest(descriptor(wanted, size: size), from: Pieces(pieces: pieces)) } == expected)
        #expect(store.contains(.sha256(of: wanted)) == (expected == "no error"))
        #expect(try leftovers().isEmpty)
    }

    @Test func refusesAtTheFirstByteTooManyAndDoesNotReadOn() async throws {
        let store = try ContentStore(root: folder("store"))
        let big = [UInt8](repeating: 0, count: 1 << 20)
        let pieces = Pieces(pieces: [big, big], failure: OCIError(.registryUnavailable, "must not be reached"))
        #expect(await code { try await store.ingest(descriptor([1], size: 10), from: pieces) } == "size_mismatch")
    }

    @Test func aFailingSourceLeavesNothing() async throws {
        let store = try ContentStore(root: folder("store"))
        let pieces = Pieces(pieces: [[1]], failure: OCIError(.registryUnavailable, "broken"))
        #expect(await code { try await store.ingest(descriptor([1, 2]), from: pieces) } == "registry_unavailable")
        #expect(try leftovers().isEmpty)
        #expect(try await store.digests().isEmpty)
    }

    @Test func twoAtOnceAreFine() async throws {
        let bytes = [UInt8](repeating: 7, count: 700_000)
        let first = try ContentStore(root: folder("store"))
        let second = try ContentStore(root: folder("store"))
        let wanted = descriptor(bytes)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<12 {
                group.addTask { try await (index % 2 == 0 ? first : second).ingest(wanted, from: Pieces(pieces: [bytes])) }
            }
            try await group.waitForAll()
        }
        #expect(try await first.digests() == [wanted.digest])
        #expect(try leftovers().isEmpty)
    }

    @Test func removesLeftoversOfACrashButNotOfTheLiving() async throws {
        let store = try ContentStore(root: folder("store"))
        try folder.write([1], to: "store/ingest/999999-0")
        let (living, path) = try store.makeTemporaryFile()
        _ = try ContentStore(root: folder("store"))
        #expect(!exists(folder("store/ingest/999999-0")))
        #expect(exists(path))
        _ = living
    }

    @Test func aBlobChangedOnDiskIsNoticed() async throws {
        let store = try ContentStore(root: folder("store"))
        let digest = try await store.store([1, 2, 3])
        try FileManager.default.removeItem(atPath: store.path(of: digest))
        try folder.write([1, 2, 4], to: "store/blobs/sha256/\(digest.hex)")
        #expect(await code { _ = try await store.read(digest, max: 10) } == "digest_mismatch")
        #expect(await code { try await store.verify(descriptor([1, 2, 3])) } == "digest_mismatch")
    }

    @Test func aFileIsIngestedButNoLink() async throws {
        let store = try ContentStore(root: folder("store"))
        try folder.write([5], to: "plain")
        try FileManager.default.createSymbolicLink(atPath: folder("link"), withDestinationPath: folder("plain"))
        #expect(await code { try await store.ingest(descriptor([5]), fileAt: folder("link")) } == "storage_failure")
        #expect(await code { try await store.ingest(descriptor([5]), fileAt: folder("none")) } == "missing_blob")
        try await store.ingest(descriptor([5]), fileAt: folder("plain"))
        #expect(store.contains(.sha256(of: [5])))
    }

    @Test func aCancelledIngestLeavesNothing() async throws {
        let store = try ContentStore(root: folder("store"))
        let wanted = descriptor([1, 2])
        let (stream, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
        let task = Task { try await store.ingest(wanted, from: stream) }
        continuation.yield([1])
        task.cancel()
        continuation.finish()
        _ = await task.result
        #expect(try leftovers().isEmpty)
        #expect(!store.contains(wanted.digest))
    }
}
