import Foundation
import OCI
import SignedImages
import TestSupport
import Testing

@testable import Island

/// What an Island keeps of signatures, and for how long.
@Suite struct SignatureFolderTests {
    private final class Folder: Sendable {
        let path: String

        init() throws { path = try makeTemporaryFolder("signature-folder") }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }

        /// Lets a file look as if it was used so many seconds after the first.
        func date(_ digest: Digest, _ seconds: Double) throws {
            let date = Date(timeIntervalSince1970: 1_700_000_000 + seconds)
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: "\(path)/\(SignatureFolderTests.name(digest))")
        }
    }

    private let folder: Folder
    private let a: Digest
    private let b: Digest
    private let c: Digest

    init() throws {
        folder = try Folder()
        a = try Digest("sha256:" + String(repeating: "a", count: 64))
        b = try Digest("sha256:" + String(repeating: "b", count: 64))
        c = try Digest("sha256:" + String(repeating: "c", count: 64))
    }

    private static func name(_ digest: Digest) -> String { "sha256-\(digest.hex).json" }

    /// Any copy; all of these have the same length.
    private static func copy(_ text: String = "AAAA") throws -> SignatureCopy {
        try #require(SignatureCopy(document: Array(#"{"manifests":{},"blobs":{"x":"\#(text)"}}"#.utf8)))
    }

    private func open(filesMax: Int = 1024, bytesMax: Int = 1 << 20) throws -> SignatureFolder {
        try SignatureFolder(path: folder.path, limits: .init(filesMax: filesMax, bytesMax: bytesMax))
    }

    /// Keeps one after the other.
    private func fill(_ signatures: SignatureFolder, _ digests: [Digest]) throws {
        for (number, digest) in digests.enumerated() {
            try signatures.keep(try Self.copy(), for: digest, recent: [])
            try folder.date(digest, Double(number))
        }
    }

    @Test func whatIsKeptIsReadAgain() throws {
        let signatures = try open()
        #expect(signatures.copy(for: a) == nil)
        try signatures.keep(try Self.copy("AQID"), for: a, recent: [])
        #expect(try open().copy(for: a)?.blob(digest: "x", size: 3) == [1, 2, 3])
        #expect(signatures.copy(for: b) == nil)
        try Data("no copy".utf8).write(to: URL(fileURLWithPath: "\(folder.path)/\(Self.name(a))"))
        #expect(signatures.copy(for: a) == nil)
    }

    @Test func theOldestGoesWhenThereAreTooMany() throws {
        let signatures = try open(filesMax: 2)
        try fill(signatures, [a, b])
        #expect(try folder.names == [a, b].map(Self.name))
        try signatures.keep(try Self.copy(), for: c, recent: [])
        #expect(try folder.names == [b, c].map(Self.name))
    }

    @Test func whatIsReadAgainStays() throws {
        let signatures = try open(filesMax: 2)
        try fill(signatures, [a, b])
        signatures.touch(a)
        try signatures.keep(try Self.copy(), for: c, recent: [])
        #expect(try folder.names == [a, c].map(Self.name))
    }

    /// An image that is admitted is not read from its file again, which then looks old.
    @Test func whatIsInUseGoesLast() throws {
        let signatures = try open(filesMax: 2)
        try fill(signatures, [a, b])
        try signatures.keep(try Self.copy(), for: c, recent: [a])
        #expect(try folder.names == [a, c].map(Self.name))
        try signatures.keep(try Self.copy(), for: b, recent: [a, c])
        #expect(try folder.names == [b, c].map(Self.name))
    }

    @Test func theOldestGoesWhenAllAreTooLarge() throws {
        let size = try Self.copy().document.count
        let signatures = try open(bytesMax: 2 * size)
        try fill(signatures, [a, b])
        #expect(try folder.names == [a, b].map(Self.name))
        try signatures.keep(try Self.copy(), for: c, recent: [])
        #expect(try folder.names == [b, c].map(Self.name))
    }

    @Test func theLatestStaysHoweverLargeItIs() throws {
        let signatures = try open(bytesMax: 10)
        try signatures.keep(try Self.copy(), for: a, recent: [])
        try signatures.keep(try Self.copy(), for: b, recent: [a])
        #expect(try folder.names == [Self.name(b)])
    }

    /// What an earlier version of this program, or a crash, left there.
    @Test func whatIsTooMuchGoesWhenTheFolderIsOpened() throws {
        try fill(try open(), [a, b, c])
        try Data(count: 100).write(to: URL(fileURLWithPath: folder.path + "/.half-written"))
        _ = try open(filesMax: 2)
        #expect(try folder.names == [".half-written", Self.name(c)])
        _ = try open(bytesMax: 0)
        #expect(try folder.names.isEmpty)
    }
}
