import Foundation
import TestSupport
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

    /// Zeros take no room in a layer, but they would here.
    @Test func tooManyBytesAreRefusedWhileTheyAreRead() throws {
        var tree = ImageFileTree()
        let half = ImageFile.Kind.file(start: Array(repeating: 0, count: ImageFileTree.heldBytesMax / 2), size: 0)
        tree.beginLayer()
        try tree.add(.stub("a")) { _ in half }
        // The same path again, in the layer and in the image, counts once.
        try tree.add(.stub("a")) { _ in half }
        tree.beginLayer()
        try tree.add(.stub("a")) { _ in half }
        try tree.add(.stub("b")) { _ in half }
        #expect(throws: OCIError.self) { try tree.add(.stub("c", .symbolicLink, target: "x")) { _ in nil } }
        tree.beginLayer()
        try tree.add(.stub(".wh.a")) { _ in nil }
        try tree.add(.stub("c", .symbolicLink, target: "x")) { _ in nil }
        #expect(tree.files.map(\.path) == ["b"])
    }

    @Test func tooManyLinksAreRefused() throws {
        var tree = ImageFileTree()
        tree.beginLayer()
        for number in 0..<ImageFileTree.linksMax { try tree.add(.stub("\(number)", .symbolicLink, target: "x")) { _ in nil } }
        #expect(throws: OCIError.self) { try tree.add(.stub("one more", .symbolicLink, target: "x")) { _ in nil } }
    }

    // MARK: Links on the way

    /// Where the kernel would put the file `x` that a layer names in another way.
    @Test(arguments: [
        ([("alias", "real")], "alias/x"), ([("alias", "/real")], "alias/x"), ([("alias", "./sub/../real")], "./alias//x"),
        ([("one", "two/three"), ("two", "deep"), ("deep/three", "../real")], "one/x"), ([("deep/l", "/alias"), ("alias", "real")], "deep/l/x"),
    ])
    func aFileLiesWhereTheLinksOnItsWayLead(links: [(String, String)], path: String) async throws {
        let linked = TestTar.make { tar in for (path, target) in links { tar.link("skip/../" + path, to: target) } }
        // In one layer, and with the links in a lower one.
        let oneLayer = TestTar.make { tar in
            for (path, target) in links { tar.link(path, to: target) }
            tar.file(path)
        }
        for layers in [[oneLayer], [linked, TestTar.make { $0.file(path) }]] {
            let found = try await entries(layers)
            #expect(found.contains { $0.path == "real/x" && $0.pathInLayer == path.replacing("./", with: "").replacing("//", with: "/") })
            #expect(!found.contains { $0.path == $0.pathInLayer && $0.path.hasSuffix("x") })
        }
    }

    @Test func aHardLinkOfALinkIsALink() async throws {
        let found = try await files([
            TestTar.make {
                $0.link("soft", to: "real")
                $0.hardLink("hard", to: "soft")
                $0.file("hard/x")
            }
        ])
        #expect(found == ["hard", "real/x", "soft"])
    }

    @Test func aLinkThatIsGoneLeadsNowhere() async throws {
        let link = TestTar.make { $0.link("alias", to: "real") }
        for gone in [TestTar.make { $0.file(".wh.alias") }, TestTar.make { $0.folder("alias") }, TestTar.make { $0.file(".wh..wh..opq") }] {
            #expect(try await files([link, gone, TestTar.make { $0.file("alias/x") }]) == ["alias/x"])
        }
    }

    @Test func aWhiteoutWorksBehindALink() async throws {
        let lower = TestTar.make {
            $0.file("real/x")
            $0.link("alias", to: "real")
        }
        #expect(try await files([lower, TestTar.make { $0.file("alias/.wh.x") }]) == ["alias"])
        #expect(try await files([lower, TestTar.make { $0.file("alias/.wh..wh..opq") }]) == ["alias"])
    }

    /// Two names that read alike, or that are no text, are two all the same.
    @Test(arguments: [([0xFF], [0xFE]), (Array("\u{E9}".utf8), Array("e\u{301}".utf8))] as [([UInt8], [UInt8])])
    func namesAreBytes(one: [UInt8], other: [UInt8]) throws {
        var tree = ImageFileTree()
        tree.beginLayer()
        try tree.add(.stub(one, .symbolicLink, target: "real")) { _ in nil }
        try tree.add(.stub(other, .symbolicLink, target: "elsewhere")) { _ in nil }
        try tree.add(.stub(one + Array("/x".utf8))) { _ in .file(start: [], size: 1) }
        #expect(tree.files.map(\.path) == ["real/x"])
    }

    @Test(arguments: ["loop/x", "up/x"])
    func linksThatLeadNowhereAreHostile(path: String) async throws {
        let tar = TestTar.make {
            $0.link("loop", to: "loop")
            $0.link("up", to: "../x")
            $0.file(path)
        }
        #expect(await code { _ = try await files([tar]) } == "hostile_layer")
    }

    @Test func aPathMayNotBeTooDeep() throws {
        var tree = ImageFileTree()
        tree.beginLayer()
        let deep = Array(repeating: "d", count: UnpackOptions().depthMax).joined(separator: "/")
        try tree.add(.stub(deep + "/x")) { _ in nil }
        #expect(#expect(throws: OCIError.self) { try tree.add(.stub(deep + "/d/x")) { _ in nil } }?.code == .limitExceeded)
    }

    /// Chance: whatever layers hold, every file is found where it is unpacked.
    @Test func filesAreFoundWhereTheyAreUnpacked() async throws {
        var compared = 0
        for seed in 0..<60 where try await agrees(UInt64(seed)) { compared += 1 }
        #expect(compared > 20, "\(compared)")
    }

    /// Whether made-up layers could be unpacked, and so compared.
    private func agrees(_ seed: UInt64) async throws -> Bool {
        let layers = TestTar.madeUpLayers(seed: seed)
        let store = try ContentStore(root: folder("store-\(seed)"))
        let image = try await TestImage(store: store).make(layers: layers).images[0]
        let root = folder("root-\(seed)")
        do {
            try await LayerUnpacker(store: store).unpack(image, to: root)
        } catch {
            // What cannot be unpacked never runs: a path through a file, for example.
            return false
        }
        let found = try await store.files(of: image, startBytes: { $0.contains("f") ? 1 : nil }).map(\.path)
        let real = try FileManager.default.subpathsOfDirectory(atPath: root).filter { ($0 as NSString).lastPathComponent.hasPrefix("f") }
        #expect(found == real.sorted(), "seed \(seed)")
        return !real.isEmpty
    }

    @Test func folderAfterFolderIsHidden() async throws {
        let layers: [[UInt8]] = [
            TestTar.make { tar in for name in ["a/b/c", "a/b/d/e", "ab/c", "x"] { tar.file(name) } },
            TestTar.make { $0.file("a/.wh.b", "") },
            TestTar.make { $0.file("a/b/f") },
        ]
        #expect(try await files(layers) == ["a/b/f", "ab/c", "x"])
        #expect(try await files(layers + [TestTar.make { $0.file("a") }]) == ["a", "ab/c", "x"])
        #expect(try await files(layers + [TestTar.make { $0.file(".wh..wh..opq", "") }]) == [])
    }

    @Test func aDamagedLayerIsAnError() async throws {
        #expect(await code { _ = try await files([Array(repeating: 7, count: 1024)]) } == "hostile_layer")
    }
}

extension TarEntry {
    fileprivate static func stub(_ path: [UInt8], _ kind: Kind = .file, target: String = "") -> TarEntry {
        TarEntry(
            kind: kind, path: path, linkTarget: Array(target.utf8), size: 0, mode: 0, userID: 0, groupID: 0, modifiedSeconds: 0, contentOffset: 0)
    }

    fileprivate static func stub(_ path: String, _ kind: Kind = .file, target: String = "") -> TarEntry {
        stub(Array(path.utf8), kind, target: target)
    }
}
