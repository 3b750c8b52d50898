import Domain
import Testing

@testable import Scanning

/// Models and packages that are not what they say.
struct CoreMLMalformedTests {
    private static let empty = ProtobufBuilder()

    static let refused: [(bytes: [UInt8], expected: String)] = [
        ([], "specificationVersion"),
        (Array("%PDF-1.7".utf8), "expected"),
        (empty.message(900, empty).bytes, "specificationVersion"),
        (empty.number(1, 0).message(900, empty).bytes, "specificationVersion"),
        (empty.number(1, .max).message(900, empty).bytes, "a specification version"),
        (empty.number(1, 1 << 31).message(900, empty).bytes, "a specification version"),
        (ProtobufBuilder.coreml(900).message(555, empty.text(10, "Evil")).bytes, "one type of model, not two"),
        (ProtobufBuilder.coreml(900).message(900, empty).bytes, "field 900 of Model once"),
        (ProtobufBuilder.coreml(500, empty.message(1, empty.text(1, "l").raw([0x0A, 1, 0x61]))).bytes, "field 1 of NeuralNetworkLayer once"),
        (ProtobufBuilder.coreml(500, empty.message(1, empty.data(1, [0xFF]))).bytes, "UTF-8"),
    ]

    @Test(arguments: refused.indices)
    func theRefusalSaysWhatWasExpected(index: Int) throws {
        let failure = try refusal(.coreml, Self.refused[index].bytes)
        #expect(failure.code == .malformedArtifact)
        #expect(failure.message.contains(Self.refused[index].expected), "\(failure.message)")
    }

    @Test func aTypeThatIsNotKnownIsFound() throws {
        let report = try inspect(.coreml, ProtobufBuilder.coreml(777, ProtobufBuilder().text(1, "what")).bytes)
        #expect(report.things(.coremlModelType).count == 1)
        #expect(report.bytesInspected == 2)
    }

    // MARK: packages

    /// The files of the real package, changed.
    private static func package(_ change: (inout [String: [UInt8]]) -> Void) throws -> [(name: String, bytes: [UInt8])] {
        var files = Dictionary(uniqueKeysWithValues: try ArtifactFixtures.bytes(.coreml, "program").map { ($0.name, $0.bytes) })
        change(&files)
        return files.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static let model = "Data/com.apple.CoreML/model.mlmodel"
    private static let weights = "Data/com.apple.CoreML/weights/weight.bin"

    private static func code(_ change: (inout [String: [UInt8]]) -> Void, message: String) throws -> Bool {
        let files = try package(change)
        do throws(ScanFailure) {
            _ = try inspect(.coreml, files)
            return false
        } catch {
            #expect(error.message.contains(message), "\(error.message)")
            return error.code == .malformedArtifact
        }
    }

    @Test(arguments: [
        ("", "Manifest.json: expected a JSON object"), ("[]", "a JSON object"), ("{}", "a JSON object"),
        (String(repeating: "[", count: 60_000), "a JSON object"),
        (#"{"fileFormatVersion":"2.0.0","itemInfoEntries":{},"rootModelIdentifier":"a"}"#, "fileFormatVersion 1"),
        (#"{"fileFormatVersion":"1.0.0","itemInfoEntries":{},"rootModelIdentifier":"a"}"#, "rootModelIdentifier"),
        (#"{"fileFormatVersion":"1.0.0","itemInfoEntries":{"a":{"path":"../x"}},"rootModelIdentifier":"a"}"#, "inside the package"),
        (#"{"fileFormatVersion":"1.0.0","itemInfoEntries":{"a":{"path":"/etc/x"}},"rootModelIdentifier":"a"}"#, "inside the package"),
        (#"{"fileFormatVersion":"1.0.0","itemInfoEntries":{"a":{"path":""}},"rootModelIdentifier":"a"}"#, "inside the package"),
        (#"{"fileFormatVersion":"1.0.0","itemInfoEntries":{"a":{"path":"missing"}},"rootModelIdentifier":"a"}"#, "the file of the package's model"),
    ])
    func aManifestIsChecked(text: String, message: String) throws {
        #expect(try Self.code({ $0["Manifest.json"] = Array(text.utf8) }, message: message))
    }

    @Test func weightsAreChecked() throws {
        #expect(try Self.code({ $0[Self.weights] = [] }, message: "byte 0 of \(Self.weights): expected a file of weights"))
        #expect(try Self.code({ $0[Self.weights]?[4] = 3 }, message: "a file of weights"))
        #expect(try Self.code({ $0[Self.weights]?[64] = 0 }, message: "byte 64 of \(Self.weights): expected the description of a value"))
        #expect(try Self.code({ $0[Self.weights]?[79] = 1 }, message: "byte 72 of \(Self.weights): expected a value inside the file"))
        #expect(try Self.code({ $0[Self.weights]?[87] = 0x80 }, message: "a value inside the file"))
        #expect(try Self.code({ $0[Self.weights]?.removeLast(400) }, message: "a value inside the file"))
        #expect(try Self.code({ $0[Self.weights]?.removeLast(300) }, message: "the description of a value"))
    }

    @Test func weightsThatAreMissingAreFound() throws {
        let report = try inspect(.coreml, try Self.package { $0[Self.weights] = nil })
        #expect(
            report.things(.coremlBlobFile) == [
                "\(Self.model): weights in @model_path/weights/weight.bin, which is no file of weights in the package"
            ])
    }

    /// Even a real file of weights is none in another folder.
    @Test func weightsStandInTheirOwnFolder() throws {
        let report = try inspect(
            .coreml,
            try Self.package { files in
                let other = Self.weights.replacing("weights/", with: "weightz/")
                files[other] = files.removeValue(forKey: Self.weights)
                let bytes = files[Self.model] ?? []
                files[Self.model] = bytes.replacing(Array("weights/".utf8), with: Array("weightz/".utf8))
            })
        #expect(report.rules == ["ARCHIPELAGO-COREML-BLOB-FILE", "ARCHIPELAGO-EXTRA-FILE"])
    }

    /// A program's weights cannot come with a single file.
    @Test func aProgramWithWeightsNeedsItsPackage() throws {
        let bytes = try #require(try ArtifactFixtures.bytes(.coreml, "program").first { $0.name == Self.model }).bytes
        #expect(try inspect(.coreml, bytes).rules == ["ARCHIPELAGO-COREML-BLOB-FILE"])
    }

    @Test func filesThatNobodyUsesAreFound() throws {
        let extra = try inspect(.coreml, try Self.package { $0["Data/com.apple.CoreML/evil.mlmodel"] = [1, 2, 3] })
        #expect(extra.things(.extraFile) == ["Data/com.apple.CoreML/evil.mlmodel: a file that the model does not use"])
        #expect(extra.number("bytes of unexplained not inspected") == 3)
    }

    @Test func bytesBetweenValuesAreUnexplained() throws {
        let report = try inspect(.coreml, try Self.package { $0[Self.weights]? += Array(repeating: 1, count: 100_000) })
        #expect(report.things(.opaqueBytes).count == 1)
        #expect(report.number("bytes of unexplained not inspected") == 100_000)
    }

    @Test func aPackageMayStandInItsFolder() throws {
        let files = try ArtifactFixtures.bytes(.coreml, "program").map { (name: "Model.mlpackage/" + $0.name, bytes: $0.bytes) }
        #expect(try inspect(.coreml, files).findings.isEmpty)
    }

    @Test func severalFilesWithoutAManifestAreRefused() throws {
        #expect(throws: ScanFailure.self) { try inspect(.coreml, try Self.package { $0["Manifest.json"] = nil }) }
        #expect(throws: ScanFailure.self) { try inspect(.coreml, try Self.package { $0["more/Manifest.json"] = $0["Manifest.json"] }) }
    }

    // MARK: bounds

    @Test(arguments: [(-1, false), (0, true), (1, true)])
    func countsAreBounded(more: Int, fits: Bool) throws {
        func accepts(_ files: [(name: String, bytes: [UInt8])], _ change: (inout CoreMLLimits) -> Void) -> Bool {
            var limits = ArtifactInspectionLimits()
            change(&limits.coreml)
            do throws(ScanFailure) {
                _ = try inspect(.coreml, files, limits: limits)
                return true
            } catch {
                #expect(error.message.contains("at most"), "\(error.message)")
                return false
            }
        }
        #expect(accepts(try ArtifactFixtures.bytes(.coreml, "pipeline_in_pipeline")) { $0.modelsMax = 5 + more } == fits)
        #expect(accepts(try ArtifactFixtures.bytes(.coreml, "program")) { $0.blobsMax = 2 + more } == fits)
        #expect(accepts(try ArtifactFixtures.bytes(.coreml, "program")) { $0.operationsMax = 3 + more } == fits)
    }

    @Test(arguments: [(-1, false), (0, true), (1, true)])
    func filesAreBounded(more: Int, fits: Bool) throws {
        func accepts(_ change: (inout CoreMLLimits) -> Void) -> Bool {
            var limits = ArtifactInspectionLimits()
            change(&limits.coreml)
            do throws(ScanFailure) {
                _ = try ArtifactInspector(limits: limits).inspect(.coreml, files: ArtifactFixtures.files(.coreml, "program"))
                return true
            } catch {
                #expect(error.code == .artifactTooLarge)
                return false
            }
        }
        let sizes = Dictionary(uniqueKeysWithValues: try ArtifactFixtures.bytes(.coreml, "program").map { ($0.name, $0.bytes.count) })
        #expect(accepts { $0.fileBytesMax = (sizes[Self.model] ?? 0) + more } == fits)
        #expect(accepts { $0.weightsBytesMax = (sizes[Self.weights] ?? 0) + more } == fits)
        #expect(accepts { $0.manifestBytesMax = (sizes["Manifest.json"] ?? 0) + more } == fits)
    }
}
