import Domain
import Testing

@testable import Scanning

/// Modules that are not what they say.
struct WasmMalformedTests {
    private static let start = WasmBuilder()
    private static func raw(_ tail: [UInt8]) -> [UInt8] { start.bytes + tail }

    /// The bytes, the offset that the refusal names, and a part of what was expected there.
    static let refused: [(bytes: [UInt8], offset: Int, expected: String)] = [
        ([], 0, "magic"),
        ([0x00, 0x61, 0x73], 0, "magic"),
        ([0x7F, 0x45, 0x4C, 0x46, 1, 0, 0, 0], 0, "magic"),
        ([0x00, 0x61, 0x73, 0x6D, 1, 0], 4, "version of 4 bytes"),
        ([0x00, 0x61, 0x73, 0x6D, 2, 0, 0, 0], 4, "version 1"),
        (raw([14, 0]), 8, "section's id in 0...13"),
        (raw([1]), 9, "size"),
        (raw([1, 5, 0]), 10, "5 bytes of the type section, not 1"),
        (raw([1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]), 9, "at most 32 bits"),
        (raw([1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), 9, "in at most 5 bytes"),
        (raw([1, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F]), 9, "at most 32 bits"),
        (start.section(3, [0]).section(1, [0]).bytes, 11, "in its order"),
        (start.section(1, [0]).section(1, [0]).bytes, 11, "once"),
        (start.section(1, [0, 0]).bytes, 11, "the end of the type section"),
        (start.section(1, [1, 0x61, 0, 0]).bytes, 11, "a function type"),
        (start.section(1, [1, 0x60, 1, 0x55, 0]).bytes, 13, "a value's type"),
        (start.section(1, [0xFF, 0xFF, 0x3F]).bytes, 10, "at most 1000000 types"),
        (start.section(1, [100, 0x60]).bytes, 10, "100 types before"),
        (start.types().functions([2]).bytes, 22, "one of 2 types"),
        (start.types().imports([("wasi_snapshot_preview1", "fd_read", [9])]).bytes, 53, "kind in 0...4"),
        (start.section(2, [1, 2, 0xC3, 0x28, 0, 0, 0]).bytes, 12, "UTF-8"),
        (start.section(2, [1, 3, 0xED, 0xA0, 0x80, 0, 0, 0]).bytes, 12, "UTF-8"),
        (start.section(2, [1, 50, 0x61]).bytes, 11, "50 bytes"),
        (start.memory([8, 1]).bytes, 11, "flags 0 to 7"),
        (start.memory([1, 2, 1]).bytes, 11, "in order"),
        (start.memory([0, 0x81, 0x80, 0x04]).bytes, 11, "at most 65536 pages"),
        (start.memory([1, 1, 0x81, 0x80, 0x04]).bytes, 11, "at most 65536 pages"),
        (start.memory([2, 1]).bytes, 11, "shared memory's maximum"),
        (start.section(4, [1, 0x70, 2, 0]).bytes, 12, "flags 0 or 1"),
        (start.section(4, [1, 0x70, 1, 3, 2]).bytes, 12, "maximum"),
        (start.section(6, [1, 0x7F, 2, 0x41, 0, 0x0B]).bytes, 12, "mutability"),
        (start.section(6, [1, 0x7F, 0, 0x41, 0]).bytes, 15, "constant expression"),
        (start.section(6, [1, 0x7F, 0, 0x10, 0, 0x0B]).bytes, 13, "not 10"),
        (start.section(6, [1, 0x7F, 0, 0x41, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x0B]).bytes, 14, "at most 32 bits"),
        (start.section(6, [1, 0x7F, 0, 0x23, 5, 0x0B]).bytes, 14, "one of 0 globals"),
        (start.section(6, [1, 0x7B, 0, 0xFD, 0x0D, 0x0B]).bytes, 13, "vector constant"),
        (start.section(7, [1, 1, 0x61, 0, 0]).bytes, 14, "one of 0 functions"),
        (start.memory().section(7, [2, 1, 0x61, 2, 0, 1, 0x61, 2, 0]).bytes, 20, "name once"),
        (start.types().functions([1]).section(8, [0]).bytes, 25, "without parameters"),
        (start.types().functions().bytes, 23, "1 function bodies, not 0"),
        (start.types().functions().code([]).bytes, 26, "1 function bodies, not 0"),
        (start.types().functions().code([[0, 0x0A]]).bytes, 28, "ends in 0b"),
        (start.types().functions().code([[0]]).bytes, 28, "ends in 0b"),
        (start.types().functions().code([[1, 0xD1, 0x86, 0x03, 0x7F, 0x0B]]).bytes, 31, "at most 50000 locals"),
        (start.section(9, [1, 0, 0x41, 0, 0x0B, 0]).bytes, 11, "a table"),
        (start.section(9, [1, 8]).bytes, 11, "flags in 0...7"),
        (start.section(11, [1, 0, 0x41, 0, 0x0B, 0]).bytes, 11, "a memory"),
        (start.section(11, [1, 3]).bytes, 11, "flags in 0...2"),
        (start.section(11, [1, 1, 9, 0]).bytes, 13, "9 bytes of a data segment"),
        (start.section(12, [2]).section(11, [1, 1, 0]).bytes, 16, "2 data segments, not 1"),
        (start.types().section(13, [1, 1, 0]).bytes, 22, "attribute of 0"),
        (start.section(0, []).bytes, 10, "custom section's name"),
        (start.custom("name", [0, 3, 1, 0x61, 0]).bytes, 19, "the end of the subsection"),
        (start.custom("producers", [1, 3, 0x73, 0x64, 0x6B, 200, 1]).bytes, 25, "200 producers"),
        (start.custom("producers", WasmBuilder.number(257)).bytes, 20, "at most 256"),
        (start.custom("target_features", [1, 0x3F, 1, 0x61]).bytes, 27, "prefix"),
    ]

    @Test(arguments: refused.indices)
    func theRefusalNamesTheByteAndWhatWasExpected(index: Int) throws {
        let (bytes, offset, expected) = Self.refused[index]
        let failure = try refusal(.wasm, bytes)
        #expect(failure.code == .malformedArtifact)
        #expect(failure.message.contains("byte \(offset) of the.wasm"), "\(failure.message)")
        #expect(failure.message.contains(expected), "\(failure.message)")
        #expect(!failure.retryable)
    }

    /// Linkers write numbers with room to spare; that is allowed up to the number's size.
    @Test func paddedNumbersAreAccepted() throws {
        let padded = Self.raw([1, 0x84, 0x80, 0x80, 0x80, 0x00, 1, 0x60, 0, 0])
        #expect(throws: Never.self) { try inspect(.wasm, padded) }
    }

    @Test(arguments: [0x0D, 0x0A])
    func aComponentIsSentAway(version: UInt8) throws {
        let failure = try refusal(.wasm, [0x00, 0x61, 0x73, 0x6D, version, 0, 1, 0])
        #expect(failure.code == .unsupportedArtifact)
        #expect(failure.remedy.contains("core module for WASI preview 1"))
    }

    @Test(arguments: [[1, 0x5F, 0], [1, 0x4E, 1], [1, 0x60, 1, 0x64]] as [[UInt8]])
    func laterProposalsAreSentAway(types: [UInt8]) throws {
        #expect(try refusal(.wasm, WasmBuilder().section(1, types).bytes).code == .unsupportedArtifact)
    }

    @Test func everyPrefixOfARealModuleIsRefusedOrShorter() throws {
        let bytes = try ArtifactFixtures.bytes(.wasm, "sections")[0].bytes
        for count in 0..<bytes.count {
            do throws(ScanFailure) {
                let report = try inspect(.wasm, Array(bytes[..<count]))
                #expect(report.bytesTotal == count)
            } catch {
                #expect(error.code == .malformedArtifact)
            }
        }
    }
}

/// Each bound one below, at it, and one above.
struct WasmLimitTests {
    private static func accepts(_ bytes: [UInt8], _ change: (inout WasmLimits) -> Void) throws -> Bool {
        var limits = ArtifactInspectionLimits()
        change(&limits.wasm)
        do throws(ScanFailure) {
            _ = try inspect(.wasm, bytes, limits: limits)
            return true
        } catch {
            #expect(error.code == .malformedArtifact)
            #expect(error.message.contains("at most"), "\(error.message)")
            return false
        }
    }

    @Test(arguments: [(-1, false), (0, true), (1, true)])
    func countsAreBounded(more: Int, fits: Bool) throws {
        let b = WasmBuilder.self
        let function = b.init().section(1, [1, 0x60, 3, 0x7F, 0x7F, 0x7F, 2, 0x7F, 0x7F])
        #expect(try Self.accepts(b.command.bytes) { $0.sectionsMax = 5 + more } == fits)
        #expect(try Self.accepts(b.command.bytes) { $0.typesMax = 2 + more } == fits)
        #expect(try Self.accepts(function.bytes) { $0.parametersMax = 3 + more } == fits)
        #expect(try Self.accepts(function.bytes) { $0.resultsMax = 2 + more } == fits)
        let imports = b.init().types().imports([("a", "b", [0, 0]), ("a", "c", [0, 0])])
        #expect(try Self.accepts(imports.bytes) { $0.importsMax = 2 + more } == fits)
        #expect(try Self.accepts(b.init().types().functions([0, 0]).code([[0, 0x0B], [0, 0x0B]]).bytes) { $0.functionsMax = 2 + more } == fits)
        #expect(try Self.accepts(b.init().section(4, [2, 0x70, 0, 1, 0x6F, 0, 1]).bytes) { $0.tablesMax = 2 + more } == fits)
        #expect(try Self.accepts(b.init().section(5, [2, 0, 1, 0, 1]).bytes) { $0.memoriesMax = 2 + more } == fits)
        #expect(try Self.accepts(b.init().types().section(13, [2, 0, 0, 0, 0]).bytes) { $0.tagsMax = 2 + more } == fits)
        #expect(
            try Self.accepts(b.init().section(6, [2, 0x7F, 0, 0x41, 0, 0x0B, 0x7F, 0, 0x41, 0, 0x0B]).bytes) { $0.globalsMax = 2 + more } == fits)
        #expect(try Self.accepts(b.command.bytes) { $0.exportsMax = 2 + more } == fits)
        #expect(try Self.accepts(b.init().section(11, [2, 1, 0, 1, 0]).bytes) { $0.segmentsMax = 2 + more } == fits)
        #expect(
            try Self.accepts(b.init().section(9, [1, 5, 0x70, 2, 0xD0, 0x70, 0x0B, 0xD0, 0x70, 0x0B]).bytes) { $0.elementEntriesMax = 2 + more }
                == fits)
    }

    @Test(arguments: [(-1, false), (0, true), (1, true)])
    func sizesAreBounded(more: Int, fits: Bool) throws {
        let b = WasmBuilder.self
        #expect(try Self.accepts(b.command.bytes) { $0.bodyBytesMax = 2 + more } == fits)
        let locals = b.init().types().functions().code([[2, 2, 0x7F, 1, 0x7E, 0x0B]])
        #expect(try Self.accepts(locals.bytes) { $0.localsMax = 3 + more } == fits)
        #expect(try Self.accepts(b.command.bytes) { $0.nameBytesMax = 6 + more } == fits)
        let producers = b.init().custom("producers", [2, 1, 0x61, 0, 1, 0x62, 2, 1, 0x63, 0, 1, 0x64, 0])
        #expect(
            try Self.accepts(producers.bytes) {
                $0.producersMax = 2 + more
            } == fits)
        // A count of each is no count of all: fields times producers times sections.
        let one: [UInt8] = [1, 1, 0x61, 2, 1, 0x63, 0, 1, 0x64, 0]
        #expect(try Self.accepts(b.init().custom("producers", one).custom("producers", one).bytes) { $0.producersMax = 4 + more } == fits)
        let fields: [UInt8] = [2] + one.dropFirst() + one.dropFirst()
        #expect(try Self.accepts(b.init().custom("producers", fields).bytes) { $0.producersMax = 4 + more } == fits)
    }

    @Test(arguments: [(-1, false), (0, true), (1, true)])
    func filesAreBounded(more: Int, fits: Bool) throws {
        let folder = try ArtifactFolder()
        let file = try folder.file("module.wasm", WasmBuilder.command.bytes)
        var limits = ArtifactInspectionLimits()
        limits.wasm.fileBytesMax = WasmBuilder.command.bytes.count + more
        do throws(ScanFailure) {
            _ = try ArtifactInspector(limits: limits).inspect(.wasm, files: [file])
            #expect(fits)
        } catch {
            #expect(!fits)
            #expect(error.code == .artifactTooLarge)
        }
    }

    /// Counts by which an attacker would have memory taken are checked against what is there.
    @Test func hugeCountsTakeNothing() throws {
        for id: UInt8 in [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 13] {
            let failure = try refusal(.wasm, WasmBuilder().section(id, [0xFF, 0xFF, 0xFF, 0xFF, 0x0F]).bytes)
            #expect(failure.code == .malformedArtifact)
        }
    }
}
