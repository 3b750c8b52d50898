import Domain
import Foundation
import Testing

@testable import Scanning

/// What is the same for every kind: files, bounds of the report, the stored document.
struct ArtifactReportTests {
    private static func failure(_ kind: ArtifactKind, _ files: [ArtifactFile], _ limits: ArtifactInspectionLimits = .init()) -> ScanFailure? {
        do throws(ScanFailure) {
            _ = try ArtifactInspector(limits: limits).inspect(kind, files: files)
            return nil
        } catch { return error }
    }

    @Test(arguments: ArtifactKind.allCases)
    func nothingIsNoArtifact(kind: ArtifactKind) throws {
        #expect(Self.failure(kind, [])?.code == .malformedArtifact)
        let folder = try ArtifactFolder()
        #expect(Self.failure(kind, [try folder.file("empty", [])])?.code == .malformedArtifact)
    }

    @Test(arguments: [
        "", ".", "..", "/a", "a/", "a//b", "a/../b", "a/./b", "a\\b", "a\u{0}", "../\u{301}x", "a/..\u{0}", "/\u{301}a", "a/\u{301}/../../b",
    ])
    func namesStayInside(name: String) throws {
        let folder = try ArtifactFolder()
        let file = try folder.file("module.wasm", WasmBuilder.command.bytes)
        #expect(Self.failure(.wasm, [ArtifactFile(name: name, path: file.path)])?.code == .malformedArtifact)
    }

    @Test func namesOccurOnce() throws {
        let folder = try ArtifactFolder()
        let file = try folder.file("module.wasm", WasmBuilder.command.bytes)
        #expect(Self.failure(.wasm, [file, file])?.message.contains("every file's name once") == true)
    }

    @Test func filesThatCannotBeReadAreTheDisksFault() throws {
        let folder = try ArtifactFolder()
        let file = try folder.file("module.wasm", WasmBuilder.command.bytes)
        let link = folder.url.appending(path: "link").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file.path)
        for path in [folder.url.appending(path: "missing").path, folder.url.path, link, "module.wasm", "/dev/null", ""] {
            let failure = try #require(Self.failure(.wasm, [ArtifactFile(name: "module.wasm", path: path)]))
            #expect(failure.code == .artifactUnreadable, "\(path)")
            #expect(failure.retryable)
            #expect(!failure.message.contains("/"))
        }
        #expect(Self.failure(.wasm, [file]) == nil)
    }

    @Test(arguments: [(-1, false), (0, true), (1, true)])
    func theNumberOfFilesIsBounded(more: Int, fits: Bool) throws {
        var limits = ArtifactInspectionLimits()
        limits.filesMax = 3 + more
        #expect((Self.failure(.coreml, ArtifactFixtures.files(.coreml, "program"), limits) == nil) == fits)
    }

    @Test func aSecondFileIsObjectedTo() throws {
        let files = [("module.wasm", WasmBuilder.command.bytes), ("payload.bin", Array(repeating: UInt8(1), count: 10))]
        let report = try inspect(.wasm, files.map { (name: $0.0, bytes: $0.1) })
        #expect(report.things(.extraFile) == ["payload.bin: a second file; a Cargo of this kind is one file"])
        #expect(report.bytesTotal - report.bytesInspected - (report.number("bytes of code not inspected") ?? 0) == 10)
        #expect(ScanVerdict(findings: report.findings) == .blocked)
        #expect(throws: ScanFailure.self) { try inspect(.wasm, [(name: "a.wasm", bytes: []), (name: "b.wasm", bytes: [])]) }
        #expect(throws: ScanFailure.self) { try inspect(.onnx, [(name: "a", bytes: []), (name: "b", bytes: [])]) }
    }

    /// Left-out findings are never milder than they were.
    @Test(arguments: [(-1, 3), (0, 3), (1, 3)])
    func theListOfFindingsIsBounded(more: Int, imports: Int) throws {
        var limits = ArtifactInspectionLimits()
        limits.findingsMax = imports + 1 + more
        let list = (0..<imports).map {
            (module: "wasi_snapshot_preview1", name: ["path_open", "path_link", "path_rename"][$0], tail: [0, 0] as [UInt8])
        }
        let module = WasmBuilder().types().imports(list + [("env", "system", [0, 0])]).functions().memory().exports(start: 4).code()
        let report = try inspect(.wasm, module.bytes, limits: limits)
        #expect(report.findings.count == imports + 1)
        #expect(report.findings.last?.severity == .high)
        #expect(report.things(.moreFindings) == (more < 0 ? ["1 findings left out"] : []))
        #expect(ScanVerdict(findings: report.findings) == .blocked)
    }

    @Test func theListOfFactsIsBounded() throws {
        var limits = ArtifactInspectionLimits()
        limits.factsMax = 3
        let report = try inspect(.wasm, WasmBuilder.command.bytes, limits: limits)
        #expect(report.facts.count == 4)
        #expect(report.facts.last?.name == "facts left out")
    }

    @Test(arguments: ArtifactFixtures.all.filter { $0.name != "no_opset" && $0.name != "no_version" }.map { ($0.kind, $0.name) })
    func theStoredDocumentIsStableAndWhole(kind: ArtifactKind, name: String) throws {
        let report = try ArtifactFixtures.report(kind, name)
        let bytes = report.json()
        #expect(bytes == (try ArtifactFixtures.report(kind, name).json()))
        let document = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        #expect(document["schema"] as? String == "archipelago.artifact-report")
        #expect(document["schema_version"] as? Int == 1)
        #expect(document["kind"] as? String == kind.rawValue)
        #expect((document["findings"] as? [Any])?.count == report.findings.count)
        #expect((document["facts"] as? [[String: String]])?.map { $0["value"] } == report.facts.map(\.value))
        #expect(document["bytes_inspected"] as? Int == report.bytesInspected)
        #expect(document["inspected_per_mille"] as? Int == report.bytesInspected * 1000 / report.bytesTotal)
        let keys = String(decoding: bytes, as: UTF8.self)
        #expect(keys.hasPrefix(#"{"bytes_inspected":"#))
        for text in report.findings.map(\.package) + report.facts.map(\.value) { #expect(text.unicodeScalars.count <= 200) }
    }

    @Test func textsAreMadeFitToShow() {
        #expect(ArtifactText.shown("a\u{1B}[31mb\u{200B}c\nd") == "a [31mb c d")
        #expect(ArtifactText.shown(String(repeating: "é", count: 200)).unicodeScalars.count == 200)
        #expect(ArtifactText.shown(String(repeating: "é", count: 201)) == String(repeating: "é", count: 199) + "…")
        #expect(ArtifactText.shown(String(repeating: "x", count: 1_000_000)).unicodeScalars.count == 200)
    }

    @Test func everyRuleHasANameInCapitalsAndASeverity() {
        for rule in ArtifactRule.allCases {
            #expect(rule.rawValue.hasPrefix("ARCHIPELAGO-"))
            #expect(rule.rawValue.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D })
            #expect(rule == .moreFindings || rule.severity != .unknown)
        }
    }

    /// A file that is read through many windows is the same as one in memory.
    @Test func aFileIsReadThroughItsWindow() throws {
        let folder = try ArtifactFolder()
        let bytes = WasmBuilder.command.custom(".debug_x", Array(repeating: 9, count: 3 * ArtifactBytes.windowBytes + 17))
            .custom("producers", [1, 3, 0x73, 0x64, 0x6B, 1, 1, 0x61, 1, 0x31]).bytes
        let report = try ArtifactInspector().inspect(.wasm, files: [try folder.file("the.wasm", bytes)])
        #expect(report == (try inspect(.wasm, bytes)))
        #expect(report.components == [ArtifactComponent(role: "sdk", name: "a", version: "1")])
    }
}
