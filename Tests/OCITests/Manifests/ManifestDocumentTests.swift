import Testing

@testable import OCI

@Suite struct ManifestDocumentTests {
    static let descriptor = #"{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:\#(ImageReferenceTests.hex)","size":2}"#
    static let manifest = #"{"schemaVersion":2,"config":\#(descriptor),"layers":[]}"#

    func parse(_ text: some StringProtocol, _ type: String? = nil) throws -> ManifestDocument {
        try ManifestDocument(parsing: Array(text.utf8), declaredType: type)
    }

    @Test func takesBothKindsWithAndWithoutTypes() throws {
        #expect(try parse(Self.manifest).mediaType == MediaType.ociManifest)
        #expect(try parse(Self.manifest, "application/vnd.docker.distribution.manifest.v2+json; charset=utf-8").mediaType == MediaType.dockerManifest)
        #expect(try parse(Self.manifest, "application/json").mediaType == MediaType.ociManifest)
        #expect(try parse(#"{"schemaVersion":2,"manifests":[]}"#).mediaType == MediaType.ociIndex)
    }

    @Test(
        arguments: [
            (#"{"schemaVersion":2}"#, nil, "malformed_document"),
            (#"[]"#, nil, "malformed_document"),
            (#""#, nil, "malformed_document"),
            (#"{"schemaVersion":3,"manifests":[]}"#, nil, "malformed_document"),
            (#"{"schemaVersion":2,"manifests":[],"layers":[],"config":{}}"#, nil, "malformed_document"),
            (#"{"schemaVersion":1,"fsLayers":[]}"#, nil, "unsupported_media_type"),
            (#"{"schemaVersion":2,"manifests":[]}"#, "application/vnd.docker.distribution.manifest.v1+prettyjws", "unsupported_media_type"),
            (
                #"{"schemaVersion":2,"manifests":[],"mediaType":"application/vnd.oci.image.index.v1+json"}"#,
                "application/vnd.oci.image.manifest.v1+json", "malformed_document"
            ),
            (#"{"schemaVersion":2,"manifests":[]}"#, "application/vnd.oci.image.manifest.v1+json", "malformed_document"),
            (#"{"schemaVersion":2,"manifests":[],"mediaType":"text/html"}"#, nil, "unsupported_media_type"),
            (#"{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"sha256:00","size":1}]}"#, nil, "invalid_digest"),
            (
                #"{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"sha256:\#(ImageReferenceTests.hex)","size":-1}]}"#, nil,
                "malformed_document"
            ),
            (
                #"{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"sha256:\#(ImageReferenceTests.hex)","size":1e30}]}"#, nil,
                "malformed_document"
            ),
            (String(repeating: "[", count: 100_000), nil, "malformed_document"),
        ] as [(String, String?, String)])
    func refuses(text: String, type: String?, expected: String) async {
        #expect(await code { _ = try parse(text, type) } == expected)
    }

    // The second field would be the one that Go's reader, and so a scanner, believes.
    @Test(arguments: [
        #""layers":[]"#, #""LAYERS":[]"#, #""layer\u0073":[]"#, #""layer\#u{17f}":[]"#, #""Config":{}"#, #""x":1,"x":1"#,
        #""annotations":{"a":"b","a":"c"}"#, #""mediatype":"x","mediaType":"application/vnd.oci.image.manifest.v1+json""#,
    ])
    func aFieldTwiceIsRefused(extra: String) async {
        let text = Self.manifest.dropLast() + "," + extra + "}"
        #expect(await code { _ = try parse(text) } == "malformed_document")
    }

    @Test func keysOfMapsMayDifferInCase() async {
        let text = Self.manifest.dropLast() + #","annotations":{"Maintainer":"a","maintainer":"b","quote\"":"{\"a\":1,\"a\":2}"}}"#
        #expect(await code { _ = try parse(text) } == "no error")
    }

    @Test func otherEncodingsThanUTF8AreRefused() async {
        let wide = Self.manifest.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        for bytes in [wide, [0xef, 0xbb, 0xbf] + Array(Self.manifest.utf8), Array(Self.manifest.utf8.dropLast()) + [0x20, 0xff, 0x7d]] {
            #expect(await code { _ = try ManifestDocument(parsing: bytes, declaredType: nil) } == "malformed_document")
        }
    }

    @Test(arguments: [(127, "no error"), (128, "limit_exceeded")])
    func boundsLayers(count: Int, expected: String) async {
        let layers = Array(repeating: Self.descriptor, count: count).joined(separator: ",")
        #expect(await code { _ = try parse(#"{"schemaVersion":2,"config":\#(Self.descriptor),"layers":[\#(layers)]}"#) } == expected)
    }

    @Test(arguments: [(64, "no error"), (65, "limit_exceeded")])
    func boundsManifests(count: Int, expected: String) async {
        let manifests = Array(repeating: Self.descriptor, count: count).joined(separator: ",")
        #expect(await code { _ = try parse(#"{"schemaVersion":2,"manifests":[\#(manifests)]}"#) } == expected)
    }

    @Test(arguments: [(0, "no error"), (1, "limit_exceeded")])
    func boundsBytes(over: Int, expected: String) async {
        let padding = String(repeating: " ", count: (4 << 20) - Self.manifest.utf8.count + over)
        #expect(await code { _ = try parse(Self.manifest + padding) } == expected)
    }

    @Test func platformsFitTheirMachine() {
        #expect(Platform(os: "linux", architecture: "arm64").runs(on: .linuxARM64))
        #expect(!Platform(os: "linux", architecture: "arm", variant: "v6").runs(on: Platform(os: "linux", architecture: "arm", variant: "v7")))
        #expect(!Platform(os: "windows", architecture: "amd64").runs(on: .linuxAMD64))
    }
}
