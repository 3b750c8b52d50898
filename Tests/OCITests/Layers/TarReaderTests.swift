import Foundation
import Testing

@testable import OCI

@Suite struct TarReaderTests {
    func read(_ bytes: [UInt8], step: Int = .max, limits: TarLimits = TarLimits()) throws -> [(TarEntry, [UInt8])] {
        let reader = TarReader(MemorySource(bytes, step: step), limits: limits)
        var all: [(TarEntry, [UInt8])] = []
        while let entry = try reader.next() {
            var content: [UInt8] = []
            try reader.readContent { content.append(contentsOf: $0) }
            all.append((entry, content))
        }
        return all
    }

    @Test(arguments: [1, 7, 512, 100_000])
    func readsInPiecesOfAnySize(step: Int) throws {
        let tar = TestTar.make {
            $0.folder("a", mode: 0o1777)
            $0.file("a/b", "hello", mode: 0o4755)
            $0.link("a/c", to: "b")
            $0.hardLink("a/d", to: "a/b")
            $0.add("p", type: "6")
        }
        let entries = try read(tar, step: step)
        #expect(entries.map { String(decoding: $0.0.path, as: UTF8.self) } == ["a/", "a/b", "a/c", "a/d", "p"])
        #expect(entries.map(\.0.kind) == [.folder, .file, .symbolicLink, .hardLink, .fifo])
        #expect(entries[1].1 == Array("hello".utf8))
        #expect(entries[1].0.mode == 0o4755)
        #expect(entries[2].0.linkTarget == Array("b".utf8))
        #expect(Array(tar[Int(entries[1].0.contentOffset)...].prefix(5)) == Array("hello".utf8))
    }

    // Against GNU tar, in each of its formats: names over 100 and 256 bytes, not ASCII and not UTF-8, links, an empty file.
    @Test(arguments: ["v7", "ustar", "gnu", "oldgnu", "posix"])
    func agreesWithGNUTar(format: String) throws {
        let folder = TemporaryFolder()
        var names = ["plain", "empty", "Főtanúsítvány.crt", "a/" + String(repeating: "d", count: 60)]
        if format != "v7" { names.append(String(repeating: "l", count: 90) + "/" + String(repeating: "f", count: 90)) }
        if format != "v7", format != "ustar" { names.append(String(repeating: "x", count: 120) + "/" + String(repeating: "y", count: 200)) }
        for name in names { try folder.write(name == "empty" ? [] : Array(name.utf8), to: "in/" + name) }
        try FileManager.default.createSymbolicLink(atPath: folder("in/link"), withDestinationPath: "plain")
        let result = try run("/bin/tar", ["--format=\(format)", "-cf", folder("out.tar"), "-C", folder("in"), "."])
        #expect(result.status == 0, "\(result.output)")
        let entries = try read(try readFile(folder("out.tar")))
        for name in names {
            let entry = try #require(entries.first { $0.0.path == Array("./\(name)".utf8) }, "\(name)")
            #expect(entry.1 == (name == "empty" ? [] : Array(name.utf8)))
        }
        #expect(entries.contains { $0.0.kind == .symbolicLink && $0.0.linkTarget == Array("plain".utf8) })
    }

    @Test func refusesWhatIsBroken() async {
        let good = TestTar.make { $0.file("a", "hello") }
        var checksum = good
        checksum[0] ^= 1
        var unknown = TestTar()
        unknown.add("a", type: "S")
        var dangling = TestTar()
        dangling.add("x", type: "L", content: Array("name\0".utf8))
        for (name, bytes) in [
            ("checksum", checksum), ("cut header", Array(good.prefix(300))), ("cut content", Array(good.prefix(514))),
            ("unknown type", unknown.finished), ("dangling long name", dangling.finished),
            (
                "broken pax",
                TestTar.make {
                    $0.add("p", type: "x", content: Array("99 path=x\n".utf8)); $0.file("a")
                }
            ),
            (
                "pax number",
                TestTar.make {
                    $0.add("p", type: "x", content: Array("11 size=-5\n".utf8)); $0.file("a")
                }
            ),
            (
                "sparse",
                TestTar.make {
                    $0.add("p", type: "x", content: Array("22 GNU.sparse.major=1\n".utf8)); $0.file("a")
                }
            ),
            (
                "NUL in pax path",
                TestTar.make {
                    $0.add("p", type: "x", content: Array("12 path=a\0b\n".utf8)); $0.file("a")
                }
            ),
            (
                "two long names",
                TestTar.make {
                    $0.add("p", type: "x", content: Array("12 path=abc\n".utf8))
                    $0.add("x", type: "L", content: Array("def\0".utf8))
                    $0.file("a")
                }
            ),
            (
                "global name",
                TestTar.make {
                    $0.add("p", type: "g", content: Array("12 path=abc\n".utf8)); $0.file("a")
                }
            ),
            ("behind the end", Array(TestTar.make { $0.file("a") }.dropLast(512)) + TestTar.make { $0.file("b") }),
            ("file as folder", TestTar.make { $0.file("a/", "x") }),
            (
                "many long names",
                TestTar.make { tar in
                    (0..<9).forEach { _ in tar.add("x", type: "L", content: [65, 0]) }; tar.file("a")
                }
            ),
        ] as [(String, [UInt8])] {
            #expect(await code { _ = try read(bytes) } == "hostile_layer", "\(name)")
        }
    }

    @Test func aGlobalCommentIsFine() throws {
        let tar = TestTar.make {
            $0.add("p", type: "g", content: Array("17 comment=abcde".utf8) + [0x0a, 0x0a]); $0.file("a")
        }
        #expect(throws: OCIError.self) { try read(tar) }
        let good = TestTar.make {
            $0.add("p", type: "g", content: Array("18 comment=abcdef\n".utf8)); $0.file("a")
        }
        #expect(try read(good).count == 1)
    }

    @Test func boundsAreExact() async {
        var limits = TarLimits()
        limits.entriesMax = 2
        limits.extendedHeaderBytesMax = 6
        limits.pathBytesMax = 5
        func tar(_ build: (inout TestTar) -> Void) -> [UInt8] { TestTar.make(build) }
        #expect(
            await code {
                _ = try read(
                    tar {
                        $0.file("a"); $0.file("b")
                    }, limits: limits)
            } == "no error")
        #expect(
            await code {
                _ = try read(
                    tar {
                        $0.file("a"); $0.file("b"); $0.file("c")
                    }, limits: limits)
            } == "limit_exceeded")
        #expect(await code { _ = try read(tar { $0.file("12345") }, limits: limits) } == "no error")
        #expect(await code { _ = try read(tar { $0.file("123456") }, limits: limits) } == "limit_exceeded")
        for (length, expected) in [(5, "no error"), (6, "limit_exceeded")] {
            let name = Array(String(repeating: "n", count: length).utf8)
            #expect(
                await code {
                    _ = try read(
                        tar {
                            $0.add("x", type: "L", content: name); $0.file("a")
                        }, limits: limits)
                } == expected)
        }
        #expect(
            await code {
                _ = try read(
                    tar {
                        $0.add("x", type: "L", content: [65, 65, 65, 65, 65, 65, 0]); $0.file("a")
                    }, limits: limits)
            } == "limit_exceeded")
    }

    @Test(arguments: 0..<30)
    func anyBytesEndInEntriesOrAnErrorOfOurs(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let base = TestTar.make {
            $0.folder("a")
            $0.add("p", type: "x", content: Array("12 path=abc\n".utf8))
            $0.file("a/b", "hello")
            $0.add("x", type: "L", content: Array("long\0".utf8))
            $0.link("c", to: "b")
        }
        for round in 0..<200 {
            var bytes = base
            if round % 4 == 0 {
                bytes = (0..<Int.random(in: 0...2048, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            } else {
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    let block = Int.random(in: 0..<bytes.count / 512, using: &random)
                    bytes[block * 512 + Int.random(in: 0..<512, using: &random)] = UInt8.random(in: 0...255, using: &random)
                    Self.mendChecksum(&bytes, block: block)
                }
            }
            do {
                _ = try read(bytes)
            } catch {
                #expect(error is OCIError, "seed \(seed), round \(round): \(error)")
            }
        }
    }

    /// So that changed headers get past the checksum.
    static func mendChecksum(_ bytes: inout [UInt8], block: Int) {
        let start = block * 512
        for index in 148..<156 { bytes[start + index] = 0x20 }
        let sum = String(bytes[start..<start + 512].reduce(0) { $0 + Int($1) }, radix: 8)
        for (index, byte) in (String(repeating: "0", count: 6 - sum.count) + sum + "\u{0}").utf8.enumerated() { bytes[start + 148 + index] = byte }
    }
}
