/// Inspects an ONNX model: versions, operators against a list, tensors in other files.
struct ONNXInspector {
    let limits: ArtifactInspectionLimits

    func inspect(_ source: ArtifactBytes, _ draft: inout ArtifactDraft) throws(ScanFailure) {
        var walker = ProtobufWalker(
            schema: ONNXReader.schema, limits: limits.protobuf, source: source,
            visitor: ONNXReader(limits: limits.onnx, file: source.name, draft: draft))
        try walker.walk()
        draft = walker.visitor.draft
        let model = walker.visitor.model
        try ONNXPolicy(model, file: source.name, limits: limits.onnx).judge(&draft)
        Self.describe(model, &draft)
    }

    private static func describe(_ model: ONNXModel, _ draft: inout ArtifactDraft) {
        draft.state("ir version", model.formatVersion ?? 0)
        for (domain, version) in model.main.opsets.sorted(by: { $0.key < $1.key }) {
            draft.state("operator set", "\(ONNXPolicy.shown(domain)) \(version)")
        }
        if !model.producerName.isEmpty { draft.state("producer", "\(model.producerName) \(model.producerVersion)") }
        if !model.domain.isEmpty { draft.state("domain", model.domain) }
        if let version = model.modelVersion { draft.state("model version", version) }
        draft.state("graph", model.graphName)
        draft.state("nodes", model.nodes)
        draft.state("functions", model.functions.count)
        draft.state("training information", model.hasTraining ? "yes" : "no")
        draft.state("initializers", model.initializers)
        draft.state("parameters", model.parameters)
        draft.state("tensors", model.tensors)
        draft.state("tensor bytes", model.tensorBytes)
        draft.state("input", model.inputs)
        draft.state("output", model.outputs)
        var uses = model.main.uses
        for function in model.functions { uses.merge(function.uses, uniquingKeysWith: +) }
        draft.state("distinct operators", uses.count)
        for (used, count) in uses.sorted(by: { $0.key < $1.key }) { draft.state("operator", "\(used.shown), \(count) times") }
        draft.mention("producer", name: model.producerName, version: model.producerVersion)
    }
}
