/// Inspects a Core ML model: versions, types, code of the host, files of weights.
struct CoreMLInspector {
    let limits: ArtifactInspectionLimits

    /// - Parameter sources: one model, or all files of one package.
    func inspect(_ sources: [ArtifactBytes], _ draft: inout ArtifactDraft) throws(ScanFailure) {
        let manifests = sources.filter { $0.name == CoreMLManifest.fileName || $0.name.hasSuffix("/" + CoreMLManifest.fileName) }
        if let manifest = manifests.first, manifests.count == 1 { return try inspectPackage(manifest, sources, &draft) }
        guard sources.count == 1, manifests.isEmpty, let source = sources.first else {
            throw .malformed("the artifact", at: nil, expected: "one .mlmodel file, or the files of one package with one Manifest.json")
        }
        let model = try read(source, &draft)
        _ = try CoreMLWeights.check(model, modelFile: source.name, folder: "", files: [:], &draft)
        Self.describe(model, &draft)
    }

    private func inspectPackage(_ source: ArtifactBytes, _ sources: [ArtifactBytes], _ draft: inout ArtifactDraft) throws(ScanFailure) {
        let manifest = try CoreMLManifest(source)
        let folder = String(source.name.dropLast(CoreMLManifest.fileName.count))
        let name = folder + manifest.modelPath
        guard let main = sources.first(where: { $0.name == name }) else {
            throw .malformed(name, at: nil, expected: "the file of the package's model")
        }
        let model = try read(main, &draft)
        let modelFolder = String(name[..<(name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex)])
        let others = sources.filter { $0 !== main && $0 !== source }
        let files = Dictionary(others.map { ($0.name, $0) }) { first, _ in first }
        let used = try CoreMLWeights.check(model, modelFile: main.name, folder: modelFolder, files: files, &draft)
        for other in others where !used.contains(other.name) {
            // Not a model's part: nobody reads it, and nobody needs to carry it.
            other.note(other.count, as: .opaque)
            draft.find(.extraFile, in: other.name, "a file that the model does not use")
        }
        for item in manifest.itemPaths { draft.state("item", item) }
        Self.describe(model, &draft)
        let weights = others.reduce(0) { $0 + ($1.passed[.weights] ?? 0) }
        if !used.isEmpty { draft.state("bytes in files of weights", weights) }
    }

    private func read(_ source: ArtifactBytes, _ draft: inout ArtifactDraft) throws(ScanFailure) -> CoreMLModel {
        var walker = ProtobufWalker(
            schema: CoreMLReader.schema, limits: limits.protobuf, source: source,
            visitor: CoreMLReader(limits: limits.coreml, file: source.name, draft: draft))
        try walker.walk()
        draft = walker.visitor.draft
        return walker.visitor.model
    }

    private static func describe(_ model: CoreMLModel, _ draft: inout ArtifactDraft) {
        draft.state("specification version", model.main.specification ?? 0)
        draft.state("model type", model.main.type.flatMap(CoreMLModelType.name) ?? "unknown")
        draft.state("models inside", model.inner.count)
        for part in model.inner {
            let type = part.type.flatMap(CoreMLModelType.name) ?? "unknown"
            draft.state("model inside", "\(type), specification version \(part.specification ?? 0)")
        }
        draft.state("input", model.inputs)
        draft.state("output", model.outputs)
        if model.layers > 0 { draft.state("layers", model.layers) }
        for set in model.operationSets.sorted() { draft.state("operation set", set) }
        draft.state("distinct operations", model.operations.count)
        for (name, count) in model.operations.sorted(by: { $0.key < $1.key }) { draft.state("operation", "\(name), \(count) times") }
        draft.state("weight bytes", model.weightBytes)
        draft.state("values in files of weights", model.blobs.count)
        for (name, value) in [("version", model.version), ("author", model.author), ("licence", model.license)] where !value.isEmpty {
            draft.state(name, value)
        }
        if !model.toolVersion.isEmpty { draft.mention("producer", name: "coremltools", version: model.toolVersion) }
        // The converter writes what it converted from as `torch==2.1.0`.
        let source = model.toolSource.split(separator: "=", omittingEmptySubsequences: true)
        if let name = source.first { draft.mention("source", name: String(name), version: source.dropFirst().joined(separator: "=")) }
    }
}
