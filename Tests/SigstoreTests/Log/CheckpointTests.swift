import Testing

@testable import Sigstore

/// Signed notes as the public log wrote them, and damaged ones.
@Suite struct CheckpointTests {
    @Test(arguments: Fixture.names(in: "vectors/checkpoints")) func vector(_ name: String) throws {
        let bytes = try Fixture.bytes("vectors/checkpoints/" + name)
        guard name.hasPrefix("valid") else {
            #expect(throws: SignedNote.Malformed.self) { try Checkpoint(parsing: bytes) }
            return
        }
        let checkpoint = try Checkpoint(parsing: bytes)
        let log = try #require(try Fixture.trustedRoot().logs.first)
        try log.verify(checkpoint)
    }

    @Test func everyCutIsRefusedOrStillSigned() throws {
        let bytes = try Fixture.bytes("vectors/checkpoints/valid.txt")
        let log = try #require(try Fixture.trustedRoot().logs.first)
        for count in 0..<bytes.count {
            guard let checkpoint = try? Checkpoint(parsing: Array(bytes.prefix(count))) else { continue }
            #expect((try? log.verify(checkpoint)) == nil, "cut to \(count) bytes")
        }
    }

    @Test(arguments: [
        "a\n01\nAAAA\n\n— a AAAAAAAA\n", "a\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— a AAAAAAAA\n",
        "a\r\n1\r\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n\r\n— a AAAAAAAA\r\n",
        "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— a AAAAAAAA\n",
        "a\n99999999999999999999\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— a AAAAAAAA\n", "", "\n", "\n\n", "a",
    ]) func malformed(_ text: String) {
        #expect(throws: SignedNote.Malformed.self) { try Checkpoint(parsing: Array(text.utf8)) }
    }
}
