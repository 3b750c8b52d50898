import Testing

@testable import OCI

@Suite struct ImageFilesTests {
    let folder = TemporaryFolder()

    private func entries(_ layers: [[UInt8]]) async throws -> [ImageFile] {
        let store = try ContentStore(root: folder("store"))
        let image = try await TestImage(store: store).make(layers: layers)
        return try await store.files(of: image.images[0]) { path in path.hasPrefix("skip") ? nil : 3 }
    }

    private func files(_ layers: [[UInt8]]) async throws -> [String] { try await entries(layers).map(\.path) }

    @Test func filesComeWithTheirStartAndLinksWithTheirTarget() async throws {
        let found = try await entries([
            TestTar.make {
                $0.file("a", "abcdef")
                $0.add("empty")
                $0.link("soft", to: "../a")
                $0.hardLink("hard", to: "./a")
            }
        ])
        #expect(
            found == [
                ImageFile(path: "a", kind: .file(start: Array("abc".utf8), size: 6)), ImageFile(path: "empty", kind: .file(start: [], size: 0)),
                ImageFile(path: "hard", kind: .hardLink("a")), ImageFile(path: "soft", kind: .symbolicLink("../a")),
            ])
    }

    @Test func whatAFolderBecomesHidesWhatWasInIt() async throws {
        let found = try await files([
            TestTar.make { tar in for name in ["a/x", "b/x"] { tar.file(name) } },
            TestTar.make {
                $0.link("a", to: "elsewhere")
                $0.folder("b")
            },
        ])
        #expect(found == ["a", "b/x"])
    }

    @Test func theFilesOfAllLayersAreListed() async throws {
        let found = try await files([
            TestTar.make {
                $0.folder("a")
                $0.file("a/one")
                $0.file("./b//two")
                $0.file("/c/../d/three")
                $0.file("skip/me")
                $0.add("empty")
                $0.link("link", to: "a/one")
            },
            TestTar.make {
                $0.file("a/four")
                $0.hardLink("five", to: "a/four")
            },
        ])
        #expect(found == ["a/four", "a/one", "b/two", "d/three", "empty", "five", "link"])
    }

    @Test func whatALaterLayerRemovesIsGone() async throws {
        let found = try await files([
            TestTar.make { tar in for name in ["a", "b/x", "b/y", "c/x", "c/z/w", "d"] { tar.file(name) } },
            TestTar.make {
                $0.file(".wh.a", "")
                $0.file("b/.wh.x", "")
                $0.file("c/.wh..wh..opq", "")
                $0.file("c/new")
                $0.file("d", "")
            },
        ])
        #expect(found == ["b/y", "c/new", "d"])
    }

    @Test func aWhiteoutOfAFolderRemovesWhatIsInIt() async throws {
        let found = try await files([
            TestTar.make { tar in for name in ["lib/x", "lib/y/z", "library"] { tar.file(name) } }, TestTar.make { $0.file(".wh.lib") },
        ])
        #expect(found == ["library"])
    }

    /// An image may come with its files in another order than it was removed in; the same layer's whiteout means the layers below.
    @Test func aWhiteoutLeavesItsOwnLayerAlone() async throws {
        let found = try await files([
            TestTar.make { $0.file("lib/old") },
            TestTar.make {
                $0.file("lib/new"); $0.file("lib/.wh..wh..opq", "")
            },
        ])
        #expect(found == ["lib/new"])
    }

    @Test func tooManyFilesAreRefused() async throws {
        let tar = TestTar.make { tar in for number in 0...ImageFileTree.filesMax { tar.file("f\(number)") } }
        #expect(await code { _ = try await files([tar]) } == "limit_exceeded")
    }

    @Test func aDamagedLayerIsAnError() async throws {
        #expect(await code { _ = try await files([Array(repeating: 7, count: 1024)]) } == "hostile_layer")
    }
}
