import Foundation
import TestSupport
import Testing

@testable import OCI

@Suite struct GzipTests {
    @Test(arguments: [0, 1, 100, 65_535, 65_536, 1_000_000])
    func whatWasCompressedComesBack(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 7) }
        let packed = try Gzip.compressed(bytes)
        #expect(try Gzip.decompressed(packed, bytesMax: count) == bytes)
        #expect(try Gzip.compressed(bytes) == packed, "the same bytes each time")
    }

    /// Bytes that cannot be made smaller still fit into the buffer.
    @Test func randomBytesComeBackToo() throws {
        var random = SplitMix64(state: 1)
        let bytes = (0..<125_000).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
        #expect(try Gzip.decompressed(try Gzip.compressed(bytes), bytesMax: bytes.count) == bytes)
    }

    @Test func gzipReadsIt() throws {
        let folder = TemporaryFolder()
        let text = String(repeating: "{\"scanner\":\"trivy\"}\n", count: 1000)
        try Data(try Gzip.compressed(Array(text.utf8))).write(to: URL(fileURLWithPath: folder("x.gz")))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/gzip")
        process.arguments = ["-dc", folder("x.gz")]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        #expect(String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) == text)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test func aBombIsRefusedAtTheBound() throws {
        let packed = try Gzip.compressed([UInt8](repeating: 0, count: 10_000_000))
        #expect(packed.count < 20_000)
        #expect(throws: OCIError.self) { try Gzip.decompressed(packed, bytesMax: 9_999_999) }
        #expect(try Gzip.decompressed(packed, bytesMax: 10_000_000).count == 10_000_000)
    }

    @Test func damagedBytesAreAnError() throws {
        let packed = try Gzip.compressed(Array("hello, hello, hello".utf8))
        #expect(throws: OCIError.self) { try Gzip.decompressed(Array(packed.dropLast(9)), bytesMax: 1000) }
        #expect(throws: OCIError.self) { try Gzip.decompressed([0x1F, 0x8B] + packed, bytesMax: 1000) }
    }
}
