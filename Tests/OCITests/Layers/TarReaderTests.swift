import Foundation
import Glibc
import TestSupport
import Testing

@testable import OCI

@Suite struct TarReaderTests {
    func read(_ bytes: [UInt8], step: Int = .max, limits: TarLimits = TarLimits()) throws -> [(TarEntry, [UInt8])] {
        let reader = try TarReader(MemorySource(bytes, step: step), limits: limits)
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
            ("far behind the end", TestTar.make { $0.file("a") } + [UInt8](repeating: 0, count: 300_000) + [1]),
            ("cut end", Array(TestTar.make { $0.file("a") }.dropLast(100))),
            ("content behind a link", TestTar.make { $0.add("l", type: "2", content: [1], link: "a") }),
            ("content behind a hard link", TestTar.make { $0.add("l", type: "1", content: [1], link: "a") }),
            ("content behind a folder", TestTar.make { $0.add("d", type: "5", content: [1]) }),
            ("hard link to nothing", TestTar.make { $0.add("l", type: "1") }),
            ("volume label", TestTar.make { $0.add("v", type: "V") }),
            ("Sun's pax", Self.pax(["path": "b"], type: "X")),
            (
                "global header at the end",
                TestTar.make {
                    $0.file("a"); $0.add("p", type: "g", content: Array("18 comment=abcdef\n".utf8))
                }
            ),
            ("a link target on a file", Self.pax(["linkpath": "b"])),
            (
                "a long link target on a file",
                TestTar.make {
                    $0.add("x", type: "K", content: Array("b\0".utf8)); $0.file("a")
                }
            ),
            (
                "a long target of an empty link",
                TestTar.make {
                    $0.add("x", type: "K", content: Array("b\0".utf8)); $0.add("a", type: "2")
                }
            ),
            (
                "an empty long name",
                TestTar.make {
                    $0.add("x", type: "L", content: [0]); $0.file("a")
                }
            ),
            (
                "two headers",
                TestTar.make {
                    $0.add("x", type: "L", content: [65, 0]); $0.add("x", type: "L", content: [66, 0]); $0.file("a")
                }
            ),
            ("a key twice", Self.pax([("path", "b"), ("path", "c")])),
            ("a key taken back", Self.pax(["path": ""])),
            (
                "size of a folder",
                TestTar.make {
                    $0.add("p", type: "x", content: Self.records([("size", "512")])); $0.folder("d")
                }
            ),
            ("another reader's sparse size", Self.pax(["SCHILY.realsize": "9"])),
            ("another reader's holes", Self.pax(["SUN.holesdata": " 0 1"])),
            ("another name of a sparse file", Self.pax(["GNU.sparse.name": "b"])),
            ("a time that is too large", Self.pax(["mtime": "99999999999999999999"])),
            ("a size that is too large", Self.pax(["size": "9223372036854775000"])),
            ("an owner that is no number", Self.pax(["uid": "+1"])),
            ("a header's number", Self.patched { $0.replaceSubrange(108..<116, with: Array("000001x\0".utf8)) }),
            ("a header's number behind a NUL", Self.patched { $0.replaceSubrange(108..<116, with: Array("\0000001\0".utf8)) }),
            ("a negative number", Self.patched { $0.replaceSubrange(108..<116, with: Array("-000001\0".utf8)) }),
            ("a magic of nobody", Self.patched { $0.replaceSubrange(257..<265, with: Array("ustarx00".utf8)) }),
            (
                "sparse fields of a plain file",
                Self.patched {
                    $0.replaceSubrange(257..<265, with: Array("ustar  \0".utf8)); $0[483] = 0x31
                }
            ),
            (
                "star's times in the name",
                Self.patched {
                    $0.replaceSubrange(345..<476, with: [UInt8](repeating: 65, count: 131)); $0.replaceSubrange(508..<512, with: Array("tar\0".utf8))
                }
            ),
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

    static func records(_ pairs: [(String, String)]) -> [UInt8] { pairs.flatMap { record($0.0, Array($0.1.utf8)) } }

    static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(key)=".utf8) + value + [0x0a]
        let length = (1...).first { $0 == String($0).utf8.count + rest.count } ?? 0
        return Array(String(length).utf8) + rest
    }

    /// A file with a pax header.
    static func pax(_ pairs: [(String, String)], type: Character = "x") -> [UInt8] {
        TestTar.make {
            $0.add("p", type: type, content: records(pairs)); $0.file("a")
        }
    }

    static func pax(_ pairs: KeyValuePairs<String, String>, type: Character = "x") -> [UInt8] { pax(Array(pairs.map { ($0, $1) }), type: type) }

    /// A file whose header is changed, with the right checksum.
    static func patched(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
        var bytes = TestTar.make { $0.file("a") }
        change(&bytes)
        mendChecksum(&bytes, block: 0)
        return bytes
    }

    // Not ASCII, not UTF-8, and CESU-8, which libarchive joins to UTF-8 when it converts; in each form of a name and of a target.
    @Test(arguments: ["C", "C.UTF-8"])
    func namesStayTheBytesTheyAreInAnyLocale(locale: String) throws {
        let names: [[UInt8]] = [
            Array("ascii".utf8), Array("Főtanúsítvány".utf8), Array("名前/😀".utf8), [0xff, 0xfe, 0x41], [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
            [0x61, 0xcc, 0x81], Array("é/".utf8),
        ]
        let wanted = try #require(newlocale(1 << LC_CTYPE, locale, nil))
        let previous = uselocale(wanted)
        defer {
            uselocale(previous)
            freelocale(wanted)
        }
        for name in names {
            let padded = name + [UInt8](repeating: 0, count: 100 - name.count)
            var plain = TestTar.make { $0.add("a", type: "2", link: "a") }
            plain.replaceSubrange(0..<100, with: padded)
            plain.replaceSubrange(157..<257, with: padded)
            var gnu = plain
            gnu.replaceSubrange(257..<265, with: Array("ustar  \0".utf8))
            var old = plain
            old.replaceSubrange(257..<265, with: [UInt8](repeating: 0, count: 8))
            for index in [0, 1, 2] {
                var bytes = [plain, gnu, old][index]
                Self.mendChecksum(&bytes, block: 0)
                let entry = try #require(try read(bytes).first?.0)
                #expect(entry.path == name && entry.linkTarget == name, "\(locale), \(name), \(index)")
            }
            for records in [[], Self.record("hdrcharset", Array("BINARY".utf8))] {
                for type in ["1", "2"] as [Character] {
                    let pax = TestTar.make {
                        $0.add("p", type: "x", content: records + Self.record("path", name) + Self.record("linkpath", name))
                        $0.add("a", type: type, link: "b")
                    }
                    let entry = try #require(try read(pax).first?.0)
                    #expect(entry.path == name && entry.linkTarget == name, "\(locale), \(name), pax")
                }
            }
            let long = TestTar.make {
                $0.add("x", type: "K", content: name + [0])
                $0.add("x", type: "L", content: name + [0])
                $0.add("a", type: "2", link: "b")
            }
            let entry = try #require(try read(long).first?.0)
            #expect(entry.path == name && entry.linkTarget == name, "\(locale), \(name), long")
            let file = TestTar.make {
                $0.add("p", type: "x", content: Self.record("path", name)); $0.add("a")
            }
            #expect(try read(file).first?.0.kind == (name.last == 0x2f ? .folder : .file))
        }
        #expect(uselocale(nil) == wanted)
    }

    // As Go writes file capabilities: keys in order of their bytes, so the binary one comes before those that count.
    @Test func binaryAttributesDoNotHideWhatFollows() throws {
        let tar = TestTar.make {
            $0.add(
                "p", type: "x",
                content: Self.record("SCHILY.acl.access", Array("nonsense".utf8))
                    + Self.record("SCHILY.xattr.security.capability", [1, 0, 0, 2, 0, 0x0a, 0, 0x3d, 0])
                    + Self.records([("gid", "7"), ("mtime", "-12.5"), ("path", "other"), ("size", "3"), ("uid", "3000000")]))
            $0.add("a", content: Array("abc".utf8))
            $0.file("b")
        }
        let entries = try read(tar)
        let first = try #require(entries.first)
        #expect(entries.count == 2 && first.1 == Array("abc".utf8))
        #expect(first.0.path == Array("other".utf8) && first.0.size == 3)
        #expect(first.0.userID == 3_000_000 && first.0.groupID == 7 && first.0.modifiedSeconds == -12)
    }

    @Test(arguments: [3, 512, 100_000])
    func longHeadersOverManyReadsAndPaddingAreFine(step: Int) throws {
        let name = Array(repeating: Array("folder/".utf8), count: 500).flatMap { $0 } + Array("x".utf8)
        let tar = TestTar.make {
            $0.add("p", type: "x", content: Self.record("comment", [UInt8](repeating: 65, count: 300_000)) + Self.record("path", name))
            $0.add("a", content: [UInt8](repeating: 7, count: 200_000))
            $0.add("p", type: "x", content: Self.record("path", name + name.prefix(6)))
            $0.add("a", content: [1])
        }
        for rest in [0, 1, 10_240, 400_000] {
            let entries = try read(tar + [UInt8](repeating: 0, count: rest), step: step)
            #expect(entries.map(\.0.path.count) == [3501, 3507] && entries.map(\.1.count) == [200_000, 1])
            #expect(Array(tar[Int(entries[0].0.contentOffset)...].prefix(2)) == [7, 7] && tar[Int(entries[1].0.contentOffset)] == 1)
        }
        #expect(try read([]).isEmpty)
        #expect(try read([UInt8](repeating: 0, count: 512)).isEmpty)
    }

    @Test func aModeIsOnlyItsTwelveBits() throws {
        let tar = Self.patched { $0.replaceSubrange(100..<108, with: Array("7707755\0".utf8)) }
        #expect(try read(tar).first?.0.mode == 0o7755)
    }

    @Test func whatTheSourceThrowsComesThrough() async {
        final class Broken: ByteSource {
            var left = 3
            func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
                left -= 1
                if left == 0 { throw OCIError(.digestMismatch, "broken") }
                let header = TestTar.make { $0.add("a", content: [UInt8](repeating: 1, count: 1500)) }.prefix(1024)
                buffer.copyBytes(from: left == 2 ? header : header.suffix(512))
                return left == 2 ? 1024 : 512
            }
        }
        #expect(
            await code {
                let reader = try TarReader(Broken())
                _ = try reader.next()
                _ = try reader.next()
            } == "digest_mismatch")
        let cancellation = Cancellation()
        cancellation.cancel()
        #expect(await code { _ = try TarReader(Broken(), cancellation: cancellation).next() } == "CancellationError()")
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
        // libarchive stops at 1 MiB by itself.
        let huge = tar {
            $0.add("x", type: "L", content: [UInt8](repeating: 65, count: (1 << 20) + 1)); $0.file("a")
        }
        #expect(await code { _ = try read(huge) } == "limit_exceeded")
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
        var random = SplitMix64(state: UInt64(seed))
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
