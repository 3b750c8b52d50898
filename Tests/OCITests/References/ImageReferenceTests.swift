import TestSupport
import Testing

@testable import OCI

@Suite struct ImageReferenceTests {
    static let hex = String(repeating: "0123456789abcdef", count: 4)

    // Cases of github.com/distribution/reference's own tests, as far as they name a registry.
    @Test(
        arguments: [
            ("test.com/repo:tag", "test.com", "repo", "tag"),
            ("test.com:8080/repo:tag", "test.com:8080", "repo", "tag"),
            ("test:5000/repo", "test:5000", "repo", nil),
            ("localhost/repo:v1", "localhost", "repo", "v1"),
            ("sub-dom1.foo.com/bar/baz/quux", "sub-dom1.foo.com", "bar/baz/quux", nil),
            ("sub-dom1.foo.com/bar/baz/quux:some-long-tag", "sub-dom1.foo.com", "bar/baz/quux", "some-long-tag"),
            ("b.gcr.io/test.example.com/my-app:test.example.com", "b.gcr.io", "test.example.com/my-app", "test.example.com"),
            ("xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com", "myimage", "xn--n3h.com"),
            ("192.168.1.1:80/repo:tag", "192.168.1.1:80", "repo", "tag"),
            ("[2001:db8::1]:5000/repo", "[2001:db8::1]:5000", "repo", nil),
            ("[::1]/repo", "[::1]", "repo", nil),
            ("foo.com/foo_bar__baz.qux---x/y", "foo.com", "foo_bar__baz.qux---x/y", nil),
            ("Uppercase.example.com/lower:Tag", "uppercase.example.com", "lower", "Tag"),
            ("docker.io/nginx:1.27", "docker.io", "library/nginx", "1.27"),
            ("index.docker.io/archipelag/echo", "docker.io", "archipelag/echo", nil),
            ("ghcr.io/archipelag-io/echo:v1.2.3", "ghcr.io", "archipelag-io/echo", "v1.2.3"),
        ] as [(String, String, String, String?)])
    func isRead(text: String, registry: String, repository: String, tag: String?) throws {
        let reference = try ImageReference(parsing: text)
        #expect(reference.registry == registry)
        #expect(reference.repository == repository)
        #expect(reference.tag == tag)
        #expect(try ImageReference(parsing: reference.description) == reference)
    }

    @Test(arguments: [
        "", ":justtag", "repo", "nginx:latest", "library/nginx", "Uppercase:tag", "a//b", "test.com/", "test.com/:tag", "test.com//repo",
        "test.com/Upper/repo", "test.com/repo:", "test.com/repo:-tag", "test.com/repo:.tag", "test.com/repo:ta g",
        "test.com/repo:" + String(repeating: "a", count: 129), "test.com/" + String(repeating: "a", count: 256), "-test.com/repo",
        "test-.com/repo", "test..com/repo", ".com/repo", "test.com:/repo", "test.com:0/repo", "test.com:65536/repo", "test.com:abc/repo",
        "test.com:123456/repo", "test.com/re..po", "test.com/re._po", "test.com/re___po", "test.com/_repo", "test.com/repo_", "test.com/../etc",
        "test.com/repo/", "https://test.com/repo", "[::1/repo", "[]/repo", "[fe80::1%eth0]:5000/repo", "test.com/repo:tag:tag",
        " test.com/repo", "test.com/repo\n", "test.com/repo\u{0}", "test.com/re\u{301}po", "\u{212A}.com/repo", "test.com/ｒepo",
        "user@test.com/repo", "test.com/repo?x=1", "test.com/repo#x", "test.com/%2e%2e/x",
    ])
    func isRefused(text: String) async {
        let code = await code { _ = try ImageReference(parsing: text) }
        #expect(code == "invalid_reference" || code == "invalid_digest")
    }

    @Test func lengthsAtTheirLimits() throws {
        #expect(try ImageReference(parsing: "a.b/" + String(repeating: "a", count: 255)).repository.count == 255)
        #expect(try ImageReference(parsing: "a.b/c:" + String(repeating: "a", count: 128)).tag?.count == 128)
    }

    @Test func aDigestIsReadAndReplaced() async throws {
        let reference = try ImageReference(parsing: "test.com/repo:tag@sha256:\(Self.hex)")
        #expect(reference.tag == "tag")
        #expect(reference.digest?.hex == Self.hex)
        #expect(reference.description == "test.com/repo:tag@sha256:\(Self.hex)")
        #expect(reference.name == "test.com/repo")
        #expect(try reference.with(tag: "other").digest == nil)
        #expect(await code { _ = try reference.with(tag: "not a tag") } == "invalid_reference")
        for bad in ["sha256:abc", "md5:\(Self.hex)", "sha256:" + Self.hex.uppercased(), "sha256:\(Self.hex)@sha256:\(Self.hex)", ""] {
            #expect(await code { _ = try ImageReference(parsing: "test.com/repo@\(bad)") } == "invalid_digest")
        }
    }

    @Test(arguments: 0..<20)
    func neverFailsOtherwiseAndWhatItTakesReadsBackEqual(seed: Int) {
        var random = SplitMix64(state: UInt64(seed))
        let alphabet = Array("aZ0.-_:/@[] %\u{0}é\u{301}sha256:localhost")
        for _ in 0..<500 {
            let text = String((0..<Int.random(in: 0...40, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
            guard let reference = try? ImageReference(parsing: text) else { continue }
            #expect((try? ImageReference(parsing: reference.description)) == reference, "seed \(seed): \(text)")
            #expect(reference.description.utf8.allSatisfy { (0x21...0x7e).contains($0) }, "seed \(seed)")
        }
    }
}

@Suite struct DigestTests {
    // FIPS 180-4 examples.
    @Test func equalsThePublishedVectors() throws {
        #expect(Digest.sha256(of: Array("abc".utf8)).hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Digest.sha256(of: []).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        var hasher = DigestHasher(algorithm: .sha512)
        hasher.update(Array("a".utf8))
        hasher.update(Array("bc".utf8))
        #expect(hasher.finalize().hex.hasPrefix("ddaf35a193617abacc417349ae204131"))
    }

    @Test(arguments: [
        "", "sha256", "sha256:", "sha1:abc", "SHA256:" + ImageReferenceTests.hex, "sha256:" + ImageReferenceTests.hex + "0",
        "sha256:../../../etc/passwd", "sha512:" + ImageReferenceTests.hex, "sha256:" + String(repeating: "g", count: 64),
    ])
    func isRefused(text: String) async {
        #expect(await code { _ = try Digest(text) } == "invalid_digest")
    }
}
