import Domain
import Testing

@testable import Scanning

/// Real models, against what coremltools' messages say of them.
struct CoreMLInspectionTests {
    /// One fixture has no specification version, and is no model for it.
    static let names = ArtifactFixtures.expected.coreml.keys.filter { $0 != "no_version" }.sorted()

    @Test(arguments: names)
    func factsAreWhatCoreMLToolsSays(name: String) throws {
        let expected = try #require(ArtifactFixtures.expected.coreml[name])
        let report = try ArtifactFixtures.report(.coreml, name)
        #expect(report.number("specification version") == expected.specification)
        #expect(report.values("model type") == [expected.type ?? "unknown"])
        #expect(report.values("model inside").sorted() == expected.inner.map(\.text))
        #expect(report.number("layers") ?? 0 == expected.layers)
        #expect(Set(report.values("operation")) == Set(expected.operations.map { "\($0.key), \($0.value) times" }))
        #expect(report.number("weight bytes") == expected.weight_bytes)
        #expect(report.number("values in files of weights") == expected.blobs.count)
        #expect(report.values("input") == expected.inputs)
        #expect(report.values("output") == expected.outputs)
        #expect(report.values("version") + report.values("author") == expected.metadata.filter { !$0.isEmpty })
        #expect(report.components.filter { $0.name == "coremltools" }.map(\.version) == (expected.tool.map { [$0] } ?? []))
        #expect(report.bytesTotal == expected.bytes)
        if let inspected = expected.inspected { #expect(report.bytesInspected == inspected) }
        #expect((report.things(.coremlUpdatable).count == 1) == expected.updatable)
    }

    /// Files of weights have a header of 64 bytes and 64 more for each value; all else is numbers and padding.
    @Test func everyByteOfAPackageIsInspectedOrWeights() throws {
        let expected = try #require(ArtifactFixtures.expected.coreml["program"])
        let files = try ArtifactFixtures.bytes(.coreml, "program")
        let weights = try #require(files.first { $0.name.hasSuffix("weight.bin") }).bytes.count
        let report = try ArtifactFixtures.report(.coreml, "program")
        #expect(report.number("bytes in files of weights") == weights - 64 * (1 + expected.blobs.count))
        #expect(report.bytesInspected == expected.bytes - weights + 64 * (1 + expected.blobs.count))
        #expect(report.number("bytes of unexplained not inspected") == nil)
        #expect(report.values("item") == ["Data/com.apple.CoreML/model.mlmodel", "Data/com.apple.CoreML/weights"])
    }

    @Test(arguments: [
        ("network", []), ("identity", []), ("pipeline", []), ("scaler", []), ("specification_10", []), ("program", []),
        ("updatable", ["ARCHIPELAGO-COREML-UPDATABLE"]),
        ("custom_layer", ["ARCHIPELAGO-COREML-HOST-CODE"]), ("custom_model", ["ARCHIPELAGO-COREML-HOST-CODE"]),
        ("pipeline_in_pipeline", ["ARCHIPELAGO-COREML-HOST-CODE"]),
        ("linked_model", ["ARCHIPELAGO-COREML-LINKED-MODEL"]), ("serialized_model", ["ARCHIPELAGO-COREML-SERIALIZED-MODEL"]),
        ("specification_11", ["ARCHIPELAGO-COREML-SPECIFICATION"]), ("no_type", ["ARCHIPELAGO-COREML-MODEL-TYPE"]),
        ("program_elsewhere", ["ARCHIPELAGO-COREML-BLOB-FILE"]), ("program_outside", ["ARCHIPELAGO-COREML-BLOB-FILE"]),
    ])
    func findingsAreWhatTheModelWasMadeFor(name: String, rules: [String]) throws {
        #expect(try ArtifactFixtures.report(.coreml, name).rules == rules)
    }

    @Test func whatIsObjectedToIsNamed() throws {
        let pipeline = try ArtifactFixtures.report(.coreml, "pipeline_in_pipeline")
        #expect(
            Set(pipeline.things(.coremlHostCode)) == [
                "model.mlmodel: custom layer EvilLayer, which runs code of the host",
                "model.mlmodel: custom model EvilModel, which runs code of the host",
            ])
        #expect(pipeline.findings.allSatisfy { $0.severity == .critical })
        let linked = try ArtifactFixtures.report(.coreml, "linked_model")
        #expect(linked.things(.coremlLinkedModel) == ["model.mlmodel: linked model other.mlmodelc, which is another file"])
        let serialized = try ArtifactFixtures.report(.coreml, "serialized_model")
        #expect(serialized.things(.coremlSerializedModel) == ["model.mlmodel: serialised model com.example.blob, which is only bytes"])
        #expect(
            try ArtifactFixtures.report(.coreml, "program_elsewhere").things(.coremlBlobFile) == [
                "Data/com.apple.CoreML/model.mlmodel: weights in /etc/passwd, which is no file of weights in the package"
            ])
    }

    @Test func theTypesAreThoseOfTheSpecification() {
        for number in 200...4000 { #expect(CoreMLModelType.name(number) == ArtifactFixtures.expected.coreml_types["\(number)"]) }
        #expect(CoreMLModelType.newestSpecification == ArtifactFixtures.expected.coreml_newest)
    }
}
