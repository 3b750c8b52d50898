import Foundation
import Testing

@testable import OCI

@Suite struct ImageBuilderTests {
    let folder = TemporaryFolder()
    let process = ImageConfiguration.Process(entrypoint: ["/bin/echo"], cmd: ["x"], env: ["A=b"], workingDirectory: "/", user: "1000")

    @Test func oneProgramBecomesAnImage() async throws {
        try folder.write(Array("#!program".utf8), to: "program")
        let store = try ContentStore(root: folder("store"))
        let recipe = ImageBuilder.Recipe(
            content: .files([.init(source: folder("program"), destination: "/bin/echo")]), platform: .linuxAMD64, process: process,
            labels: ["a": "b"])
        let first = try await ImageBuilder(store: store).build(recipe)
        #expect(try await ImageBuilder(store: store).build(recipe) == first)
        let image = try await store.image(first.digest, verification: .everything).image(for: .linuxAMD64)
        #expect(image.configuration.entrypoint == ["/bin/echo"])
        #expect(image.configuration.env == ["A=b"])
        #expect(image.configuration.user == "1000")
        #expect(image.configuration.labels == ["a": "b"])
        try await LayerUnpacker(store: store).unpack(image, to: folder("root"))
        #expect(try readFile(folder("root/bin/echo")) == Array("#!program".utf8))
        #expect(access(folder("root/bin/echo"), X_OK) == 0)
        let layer = try await store.read(image.layers[0].digest, max: 1 << 20)
        #expect(Array(layer[4..<8]) == [0, 0, 0, 0], "no time in the gzip header (RFC 1952, MTIME)")
    }

    // GNU tar is the outside reader of our tar.
    @Test func aFolderBecomesTheRootWhateverItsTimes() async throws {
        let long = String(repeating: "n", count: 150)
        try folder.write(Array("one".utf8), to: "in/b/file")
        try folder.write([UInt8](repeating: 7, count: 513), to: "in/\(long)/\(long)")
        try folder.write([], to: "in/a")
        try FileManager.default.createSymbolicLink(atPath: folder("in/link"), withDestinationPath: "../outside/" + long)
        let store = try ContentStore(root: folder("store"))
        let recipe = ImageBuilder.Recipe(content: .folder(folder("in")), platform: .linuxAMD64, process: process)
        let first = try await ImageBuilder(store: store).build(recipe)
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 5)], ofItemAtPath: folder("in/a"))
        #expect(try await ImageBuilder(store: store).build(recipe) == first)
        let image = try await store.image(first.digest, verification: .everything).images[0]
        let listing = try run("/bin/tar", ["--numeric-owner", "-tzvf", store.path(of: image.layers[0].digest)])
        #expect(listing.status == 0)
        let lines = listing.output.split(separator: "\n")
        #expect(lines.allSatisfy { $0.contains("0/0") && $0.contains("1970-01-01") })
        let paths = try run("/bin/tar", ["-tzf", store.path(of: image.layers[0].digest)]).output.split(separator: "\n").map(String.init)
        #expect(paths == ["a", "b/", "b/file", "link", "\(long)/", "\(long)/\(long)"])
        try await LayerUnpacker(store: store).unpack(image, to: folder("root"))
        #expect(try readFile(folder("root/\(long)/\(long)")).count == 513)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder("root/link")) == "../outside/" + long)
    }

    @Test func whatCannotBeBuiltIsRefused() async throws {
        try folder.write([1], to: "file")
        try FileManager.default.createDirectory(atPath: folder("special"), withIntermediateDirectories: true)
        #expect(mkfifo(folder("special/pipe"), 0o600) == 0)
        let store = try ContentStore(root: folder("store"))
        func build(_ content: ImageBuilder.Content, bytesMax: Int64 = 1 << 30) async -> String {
            var recipe = ImageBuilder.Recipe(content: content, platform: .linuxAMD64, process: process)
            recipe.totalBytesMax = bytesMax
            return await code { _ = try await ImageBuilder(store: store).build(recipe) }
        }
        func file(_ destination: String) -> ImageBuilder.File { .init(source: folder("file"), destination: destination) }
        #expect(await build(.folder(folder("special"))) == "malformed_document")
        #expect(await build(.folder(folder("none"))) == "not_found")
        #expect(await build(.files([.init(source: folder("none"), destination: "/a")])) == "not_found")
        #expect(await build(.files([.init(source: folder("special"), destination: "/a")])) == "malformed_document")
        for destination in ["", "a", "/", "/../a", "/a/../../b", "/.wh.a"] {
            #expect(await build(.files([file(destination)])) == "malformed_document", "\(destination)")
        }
        #expect(await build(.files([file("/a"), file("/./a")])) == "malformed_document")
        #expect(await build(.files([file("/a"), file("/a/b")])) == "malformed_document")
        #expect(await build(.files([file("/a")]), bytesMax: 1024) == "limit_exceeded")
        #expect(await build(.files([file("/a")]), bytesMax: 2048) == "no error")
    }
}
