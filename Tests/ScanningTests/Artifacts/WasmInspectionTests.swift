import Domain
import Testing

@testable import Scanning

/// Real modules, against what wabt and LLVM say of them.
struct WasmInspectionTests {
    static let names = ArtifactFixtures.expected.wasm.keys.sorted()

    @Test(arguments: names)
    func factsAreWhatOtherToolsSay(name: String) throws {
        let expected = try #require(ArtifactFixtures.expected.wasm[name])
        let report = try ArtifactFixtures.report(.wasm, name)
        #expect(report.values("sections") == [expected.sections.joined(separator: ", ")])
        #expect(report.values("import") == expected.imports)
        #expect(report.values("export") == expected.exports)
        #expect(report.values("custom section") == expected.custom.map { "\($0.name), \($0.bytes) bytes" })
        #expect(report.number("functions") == expected.functions)
        #expect(report.values("memory minimum pages") == expected.memories.map { "\($0[0] ?? -1)" })
        #expect(report.values("memory minimum bytes") == expected.memories.map { "\(($0[0] ?? -1) * 65_536)" })
        #expect(report.values("memory maximum pages") == expected.memories.map { $0[1].map { "\($0)" } ?? "not declared" })
    }

    @Test(arguments: names)
    func everyByteIsInspectedOrNamed(name: String) throws {
        let expected = try #require(ArtifactFixtures.expected.wasm[name])
        let report = try ArtifactFixtures.report(.wasm, name)
        #expect(report.bytesTotal == expected.bytes)
        #expect(report.bytesInspected == expected.inspected)
        #expect(report.number("bytes of code not inspected") ?? 0 == expected.code)
        #expect(report.number("bytes of data not inspected") ?? 0 == expected.data)
        #expect(report.number("bytes of debug information not inspected") ?? 0 == expected.debug)
        #expect(report.number("bytes of unexplained not inspected") ?? 0 == expected.opaque)
    }

    @Test(arguments: names)
    func producersAndFeaturesAreWhatLLVMSays(name: String) throws {
        let expected = try #require(ArtifactFixtures.expected.wasm[name])
        let report = try ArtifactFixtures.report(.wasm, name)
        if let producers = expected.producers { #expect(report.components.map { [$0.role, $0.name, $0.version] } == producers) }
        if let features = expected.features { #expect(report.values("target feature") == features) }
    }

    /// What each module was made to show; its sources say how.
    @Test(arguments: [
        ("hello", []), ("bare", []), ("memory_256mib", []),
        ("sections", []),
        ("memory_256mib_1page", ["ARCHIPELAGO-WASM-MEMORY-LEVEL0"]),
        ("memory_1gib", ["ARCHIPELAGO-WASM-MEMORY-LEVEL0"]),
        ("memory_1gib_1page", ["ARCHIPELAGO-WASM-MEMORY"]),
        ("debug", ["ARCHIPELAGO-WASM-DEBUG"]),
        ("files", ["ARCHIPELAGO-WASM-FILE-IMPORT"]),
        ("sockets", ["ARCHIPELAGO-WASM-IMPORT"]),
        ("foreign", ["ARCHIPELAGO-WASM-IMPORT"]),
        ("reactor", ["ARCHIPELAGO-WASM-NO-COMMAND"]),
        ("wrong_exports", ["ARCHIPELAGO-WASM-NO-COMMAND"]),
        ("memory64", ["ARCHIPELAGO-WASM-MEMORY64"]),
        ("shared", ["ARCHIPELAGO-WASM-SHARED-MEMORY"]),
        ("two_memories", ["ARCHIPELAGO-WASM-MANY-MEMORIES"]),
        ("library", ["ARCHIPELAGO-WASM-DYNAMIC", "ARCHIPELAGO-WASM-IMPORT", "ARCHIPELAGO-WASM-NO-COMMAND"]),
        ("object", ["ARCHIPELAGO-WASM-IMPORT", "ARCHIPELAGO-WASM-NO-COMMAND"]),
    ])
    func findingsAreWhatTheModuleWasMadeFor(name: String, rules: [String]) throws {
        #expect(try ArtifactFixtures.report(.wasm, name).rules == rules)
    }

    @Test func offendingImportsAreNamed() throws {
        #expect(
            try ArtifactFixtures.report(.wasm, "foreign").things(.wasmImport) == [
                "module.wasm: import env.system", "module.wasm: import wasi_unstable.fd_write",
                "module.wasm: import wasi_snapshot_preview1.fd_frobnicate",
            ])
        let sockets = try ArtifactFixtures.report(.wasm, "sockets")
        #expect(sockets.things(.wasmImport).first == "module.wasm: import wasi_snapshot_preview1.sock_send: a Cargo has no sockets")
        #expect(sockets.things(.wasmImport).count == 2)
        #expect(sockets.findings.allSatisfy { $0.severity == .high && $0.scanners == ["inspector"] && $0.version.isEmpty })
        #expect(ScanVerdict(findings: try ArtifactFixtures.report(.wasm, "files").findings) == .clean)
    }

    @Test func exportsThatAreNoCommandsAreNamed() throws {
        #expect(
            try ArtifactFixtures.report(.wasm, "wrong_exports").things(.wasmNoCommand) == [
                "module.wasm: export _start is not a function without parameters and results",
                "module.wasm: no export memory, through which WASI reads and writes",
            ])
        #expect(try ArtifactFixtures.report(.wasm, "reactor").things(.wasmNoCommand) == ["module.wasm: no export _start: a reactor, not a command"])
    }

    /// wasi-libc's header has every function but `proc_raise`, which was dropped from it.
    @Test func theInterfaceIsThatOfWASILibc() {
        let all = WASIInterface.working.union(WASIInterface.files).union(WASIInterface.refused.keys)
        #expect(all.subtracting(ArtifactFixtures.expected.wasi) == ["proc_raise"])
        #expect(Set(ArtifactFixtures.expected.wasi).subtracting(all).isEmpty)
        #expect(WASIInterface.working.isDisjoint(with: WASIInterface.files))
        for name in ArtifactFixtures.expected.wasi where name.hasPrefix("sock_") {
            #expect(WASIInterface.treatment(of: name) == .refused("a Cargo has no sockets"))
        }
        #expect(WASIInterface.treatment(of: "fd_Write") == nil)
    }

    @Test func importsOtherThanFunctionsAreRefused() throws {
        let module = WasmBuilder().types().imports([("wasi_snapshot_preview1", "fd_write", [2, 0, 1])])
            .functions().section(7, WasmBuilder.vector([WasmBuilder.name("memory") + [2, 0], WasmBuilder.name("_start") + [0, 0]])).code()
        #expect(try inspect(.wasm, module.bytes).things(.wasmImport) == ["the.wasm: import wasi_snapshot_preview1.fd_write (memory)"])
    }

    @Test func aNameThatIsMeantToMisleadIsCleaned() throws {
        let name = "a\u{202E}b\n\u{0}" + String(repeating: "x", count: 300)
        let module = WasmBuilder().types().imports([("env", name, [0, 0])]).functions().memory().exports(start: 1).code()
        let finding = try #require(try inspect(.wasm, module.bytes).findings.first)
        #expect(finding.package.hasPrefix("the.wasm: import env.a b xxx"))
        #expect(finding.package.unicodeScalars.count == 200)
        #expect(finding.package.hasSuffix("…"))
    }

    @Test(arguments: [(64 * 1024, 0), (64 * 1024 + 1, 1)])
    func manyUnexplainedBytesNeedAReviewer(count: Int, findings: Int) throws {
        let report = try inspect(.wasm, WasmBuilder.command.custom("x", Array(repeating: 7, count: count)).bytes)
        #expect(report.things(.opaqueBytes).count == findings)
        #expect(report.findings.allSatisfy { $0.severity == .medium })
        #expect(report.bytesTotal - report.bytesInspected == count + 2)
    }

    /// A tenth of the file is not more than a tenth.
    @Test(arguments: [(-1, 0), (0, 0), (1, 1)])
    func unexplainedBytesAreJudgedByTheirShare(more: Int, findings: Int) throws {
        var limits = ArtifactInspectionLimits()
        limits.opaqueBytesMax = 10
        let opaque = 100 + more
        var module = WasmBuilder.command.custom("x", Array(repeating: 7, count: opaque))
        // Filled up with a section that is explained, to 1000 bytes in all: 3 are its head, 8 its name with the length.
        module = module.custom(".debug_", Array(repeating: 0, count: 1000 - module.bytes.count - 3 - 8))
        #expect(module.bytes.count == 1000)
        #expect(try inspect(.wasm, module.bytes, limits: limits).things(.opaqueBytes).count == findings)
    }
}
