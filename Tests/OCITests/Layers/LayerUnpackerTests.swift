import Foundation
import TestSupport
import Testing

@testable import OCI

@Suite struct LayerUnpackerTests {
    let folder = TemporaryFolder()

    func unpack(_ layers: [[UInt8]], options: UnpackOptions = UnpackOptions()) async throws -> String {
        let store = try ContentStore(root: folder("store"))
        let image = try await TestImage(store: store).make(layers: layers)
        var options = options
        options.isDurable = false
        try await LayerUnpacker(store: store, options: options).unpack(image.images[0], to: folder("out/root"))
        return folder("out/root")
    }

    func status(_ path: String) -> stat {
        var status = stat()
        #expect(lstat(path, &status) == 0, "\(path)")
        return status
    }

    func text(_ path: String) throws -> String { String(decoding: try readFile(path), as: UTF8.self) }

    @Test func unpacksAllKindsAndTheFoldersEveryContainerNeeds() async throws {
        let root = try await unpack([
            TestTar.make {
                $0.folder("bin", mode: 0o750)
                $0.file("bin/run", "program", mode: 0o6755)
                $0.hardLink("bin/other", to: "bin/run")
                $0.link("bin/sh", to: "/bin/run")
                $0.file("deep/er/file", "implicit parents")
                $0.folder("tmp", mode: 0o700)
                $0.link("proc", to: "/etc")
            }
        ])
        #expect(try text("\(root)/bin/other") == "program")
        #expect(status("\(root)/bin/run").st_mode & 0o7777 == 0o755)
        #expect(status("\(root)/bin/run").st_nlink == 2)
        #expect(status("\(root)/bin/run").st_mtim.tv_sec == 1_000_000)
        #expect(status("\(root)/bin").st_mode & 0o7777 == 0o750)
        #expect(status("\(root)/bin").st_mtim.tv_sec == 1_000_000)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/bin/sh") == "/bin/run")
        #expect(try text("\(root)/deep/er/file") == "implicit parents")
        for name in ["proc", "dev", "sys"] { #expect(status("\(root)/\(name)").st_mode == S_IFDIR | 0o755) }
        #expect(status("\(root)/tmp").st_mode == S_IFDIR | 0o1777)
    }

    @Test func whiteoutsHideLowerLayersOnly() async throws {
        let root = try await unpack([
            TestTar.make {
                $0.file("a/gone")
                $0.file("a/kept")
                $0.file("b/x")
                $0.file("b/sub/y")
                $0.file("c/old")
                $0.file("d/old")
            },
            TestTar.make {
                $0.file("a/.wh.gone", "")
                $0.file("a/.wh.never", "")
                $0.file("b/new")
                $0.file("b/.wh..wh..opq", "")  // After a file of its own: that file stays.
                $0.file("b/sub/z")
                $0.file("c/new")
                $0.file(".wh.c", "")  // A whiteout of what this layer made too.
                $0.file("d", "now a file")
                $0.file(".wh..wh.plnk", "")
                $0.file("nowhere/.wh.x", "")
            },
        ])
        #expect(!exists("\(root)/a/gone"))
        #expect(exists("\(root)/a/kept"))
        #expect(!exists("\(root)/b/x"))
        #expect(!exists("\(root)/b/sub/y"))
        #expect(exists("\(root)/b/sub/z"))
        #expect(exists("\(root)/b/new"))
        #expect(!exists("\(root)/c/old"))
        #expect(exists("\(root)/c/new"))
        #expect(try text("\(root)/d") == "now a file")
        #expect(!exists("\(root)/nowhere"))
        #expect(!exists("\(root)/.wh..wh.plnk"))
    }

    @Test func opaqueBeforeAndAfterGiveTheSame() async throws {
        for order in [true, false] {
            try? FileManager.default.removeItem(atPath: folder("out"))
            let root = try await unpack([
                TestTar.make { $0.file("a/old") },
                TestTar.make {
                    if order { $0.file("a/.wh..wh..opq", "") }
                    $0.file("a/new")
                    if !order { $0.file("a/.wh..wh..opq", "") }
                },
            ])
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(root)/a") == ["new"])
        }
    }

    @Test func aLayerMayWriteThroughALinkInsideTheRootOnly() async throws {
        try folder.write(Array("outside".utf8), to: "outside/file")
        let root = try await unpack([
            TestTar.make {
                $0.folder("usr/lib")
                $0.link("lib", to: "usr/lib")
                $0.link("abs", to: folder("outside"))
                $0.link("final", to: folder("outside/file"))
            },
            TestTar.make {
                $0.file("lib/x", "through a link")
                $0.file("abs/file", "inside")
                $0.file("final", "replaced")
            },
        ])
        #expect(try text("\(root)/usr/lib/x") == "through a link")
        #expect(status("\(root)/lib").isSymbolicLink)
        #expect(try text(folder("outside/file")) == "outside")
        #expect(try text(root + folder("outside/file")) == "inside")
        #expect(try text("\(root)/final") == "replaced")
    }

    @Test func hostileLayersAreRefusedAndLeaveNothing() async throws {
        try folder.write(Array("outside".utf8), to: "victim")
        let up = String(repeating: "../", count: 30)
        let hostile: [(String, (inout TestTar) -> Void)] = [
            ("..", { $0.file("../victim", "bad") }),
            (".. inside", { $0.file("a/../../victim", "bad") }),
            ("absolute", { $0.file("/etc/oci-test-victim", "bad") }),
            (
                "through a link above",
                {
                    $0.link("l", to: "\(up)tmp"); $0.file("l/victim", "bad")
                }
            ),
            (
                "through links in turn",
                {
                    $0.link("a", to: "b"); $0.link("b", to: "a"); $0.file("a/x")
                }
            ),
            (
                "through a file",
                {
                    $0.file("f"); $0.file("f/x")
                }
            ),
            ("hard link out", { $0.hardLink("h", to: "../victim") }),
            ("hard link absolute", { $0.hardLink("h", to: "/etc/passwd") }),
            ("hard link to nothing", { $0.hardLink("h", to: "nothing") }),
            (
                "hard link through a link",
                {
                    $0.link("l", to: "\(up)etc"); $0.hardLink("h", to: "l/passwd")
                }
            ),
            (
                "hard link to a folder",
                {
                    $0.folder("d"); $0.hardLink("h", to: "d")
                }
            ),
            ("device", { $0.add("sda", type: "4") }),
            ("device null", { $0.add("etc/null", type: "3") }),
            ("pipe", { $0.add("pipe", type: "6") }),
            ("root as file", { $0.file(".", "bad") }),
            ("whiteout of ..", { $0.file(".wh...", "") }),
            ("whiteout of nothing", { $0.file(".wh.", "") }),
            ("whiteout as folder", { $0.file(".wh.x/y", "") }),
            ("empty link", { $0.link("l", to: "") }),
        ]
        for (name, build) in hostile {
            #expect(await code { _ = try await unpack([TestTar.make(build)]) } == "hostile_layer", "\(name)")
            #expect((try? FileManager.default.contentsOfDirectory(atPath: folder("out"))) ?? [] == [], "\(name)")
        }
        #expect(try text(folder("victim")) == "outside")
        #expect(!exists("/etc/oci-test-victim"))
    }

    @Test func whiteoutsNeverReachOut() async throws {
        try folder.write(Array("outside".utf8), to: "outside/file")
        let root = try await unpack([
            TestTar.make {
                $0.link("l", to: folder("outside")); $0.folder("d"); $0.link("d/l", to: folder("outside"))
            },
            TestTar.make {
                $0.file("l/.wh.file", ""); $0.file("l/.wh..wh..opq", ""); $0.file("d/.wh..wh..opq", "")
            },
        ])
        #expect(try text(folder("outside/file")) == "outside")
        #expect(!exists("\(root)/d/l"))
    }

    @Test func devicesBelowDevAreDropped() async throws {
        let root = try await unpack([
            TestTar.make {
                $0.folder("dev"); $0.add("dev/null", type: "3"); $0.file("ok")
            }
        ])
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(root)/dev").isEmpty)
    }

    @Test func limitsAreExact() async throws {
        let tar = TestTar.make {
            $0.file("a/b/c", "12345"); $0.file("d", "1")
        }
        func with(_ change: (inout UnpackOptions) -> Void) async -> String {
            var options = UnpackOptions()
            change(&options)
            try? FileManager.default.removeItem(atPath: folder("out"))
            return await code { _ = try await unpack([tar], options: options) }
        }
        #expect(await with { $0.entriesMax = 2 } == "no error")
        #expect(await with { $0.entriesMax = 1 } == "limit_exceeded")
        #expect(await with { $0.fileBytesMax = 5 } == "no error")
        #expect(await with { $0.fileBytesMax = 4 } == "limit_exceeded")
        #expect(await with { $0.totalBytesMax = Int64(tar.count) } == "no error")
        #expect(await with { $0.totalBytesMax = Int64(tar.count) - 1 } == "limit_exceeded")
        #expect(await with { $0.depthMax = 2 } == "no error")
        #expect(await with { $0.depthMax = 1 } == "limit_exceeded")
        #expect(await with { $0.pathBytesMax = 5 } == "no error")
        #expect(await with { $0.pathBytesMax = 4 } == "limit_exceeded")
    }

    @Test func entriesAndBytesAreCountedOverAllLayers() async {
        var options = UnpackOptions()
        options.entriesMax = 3
        let tar = TestTar.make {
            $0.file("a"); $0.file("b")
        }
        #expect(await code { _ = try await unpack([tar, tar], options: options) } == "limit_exceeded")
        options = UnpackOptions()
        options.totalBytesMax = Int64(tar.count * 2 - 1)
        #expect(await code { _ = try await unpack([tar, tar], options: options) } == "limit_exceeded")
    }

    @Test(.enabled(if: geteuid() == 0, "owners are set by root only"))
    func ownersAreShifted() async throws {
        var options = UnpackOptions()
        options.idOffset = 100_000
        let root = try await unpack(
            [
                TestTar.make {
                    $0.add("f", content: [1], uid: 33, gid: 44)
                    $0.add("implicit/l", type: "2", link: "x", uid: 1, gid: 2)
                }
            ], options: options)
        #expect(status(root).st_uid == 100_000)
        #expect(status("\(root)/f").st_uid == 100_033 && status("\(root)/f").st_gid == 100_044)
        #expect(status("\(root)/implicit").st_uid == 100_000)
        #expect(status("\(root)/implicit/l").st_uid == 100_001)
        #expect(status("\(root)/proc").st_uid == 100_000)
        try FileManager.default.removeItem(atPath: folder("out"))
        let high = TestTar.make { $0.add("f", content: [1], uid: 65_536) }
        #expect(await code { _ = try await unpack([high], options: options) } == "limit_exceeded")
    }

    @Test func aLayerChangedInTheStoreIsNoticedWhileUnpacking() async throws {
        let store = try ContentStore(root: folder("store"))
        let good = TestTar.make { $0.file("a", "good") }
        let bad = TestTar.make { $0.file("a", "evil") }
        let image = try await TestImage(store: store).make(layers: [good])
        try FileManager.default.removeItem(atPath: store.path(of: .sha256(of: good)))
        try folder.write(bad, to: "store/blobs/sha256/\(Digest.sha256(of: good).hex)")
        #expect(await code { try await LayerUnpacker(store: store).unpack(image.images[0], to: folder("out/root")) } == "diff_id_mismatch")
        #expect(!exists(folder("out/root")))
    }

    @Test func leftoversOfACrashAreRemovedByTheNextCall() async throws {
        try folder.write([1], to: "out/root.unpacking-1-0/half")
        try folder.write([1], to: "out/rooted/other")
        _ = try await unpack([TestTar.make { $0.file("a") }])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder("out")).sorted() == ["root", "rooted"])
    }

    @Test func anExistingFolderIsNotReplaced() async throws {
        try folder.write([1], to: "out/root/mine")
        #expect(await code { _ = try await unpack([TestTar.make { $0.file("a") }]) } == "storage_failure")
        #expect(exists(folder("out/root/mine")))
    }

    @Test(arguments: 0..<8)
    func randomLayersNeverReachOut(seed: Int) async throws {
        var random = SplitMix64(state: UInt64(seed))
        try folder.write(Array("outside".utf8), to: "out/victim")
        let names = ["a", "b", "c", "a/b", "b/c", "a/b/c", "..", "../victim", "a/../..", "/", "./a", ".wh.a", "a/.wh..wh..opq", "l/x"]
        let targets = ["a", "b", "..", "../..", "/", "/a", folder("out"), "../victim", "a/b"]
        for round in 0..<40 {
            let tar = TestTar.make { tar in
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    tar.add(
                        names.randomElement(using: &random)!, type: Array("0123456").randomElement(using: &random)!,
                        link: targets.randomElement(using: &random)!)
                }
            }
            let result = await code { _ = try await unpack([tar, tar]) }
            #expect(["no error", "hostile_layer"].contains(result), "seed \(seed), round \(round): \(result)")
            #expect(try text(folder("out/victim")) == "outside", "seed \(seed), round \(round)")
            #expect(Set(try FileManager.default.contentsOfDirectory(atPath: folder("out"))).isSubset(of: ["victim", "root"]))
            try? FileManager.default.removeItem(atPath: folder("out/root"))
        }
    }
}
