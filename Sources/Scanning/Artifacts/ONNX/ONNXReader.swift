/// Gathers what a model says while its file is walked over. External data is objected to on the way.
///
/// Source of the field numbers: `onnx-ml.proto`, which ``ONNXSchema`` is made from.
struct ONNXReader: ProtobufVisitor {
    static let schema = ProtobufSchema(ONNXSchema.text)

    /// The messages that something is wanted of.
    private enum Messages {
        static let model = schema.index(of: "ModelProto")
        static let graph = schema.index(of: "GraphProto")
        static let node = schema.index(of: "NodeProto")
        static let function = schema.index(of: "FunctionProto")
        static let tensor = schema.index(of: "TensorProto")
        static let opset = schema.index(of: "OperatorSetIdProto")
        static let entry = schema.index(of: "StringStringEntryProto")
        static let value = schema.index(of: "ValueInfoProto")
        static let training = schema.index(of: "TrainingInfoProto")
    }

    /// A tensor that is being read.
    private struct Tensor {
        var name = ""
        var isExternal = false
        var location: String?
        var dimensions = 0
        var elements = 1
    }

    private(set) var model = ONNXModel()
    private(set) var draft: ArtifactDraft
    private let limits: ONNXLimits
    private let file: String
    private var operators = 0
    private var graphDepth = 0
    /// Whether the outermost graph that is being read is the model's own, not one for training or in a function.
    private var isMainGraph = false
    /// Nodes stand inside the subgraphs of others.
    private var nodes: [ONNXModel.Operator] = []
    private var function: ONNXModel.Scope?
    private var tensor = Tensor()
    private var opset: (domain: String, version: UInt64?) = ("", nil)
    private var entryKey = ""
    private var entryValue = ""
    private var valueName = ""

    init(limits: ONNXLimits, file: String, draft: ArtifactDraft) {
        self.limits = limits
        self.file = file
        self.draft = draft
    }

    private func expected(_ what: String, _ place: ProtobufPlace) -> ScanFailure { .malformed(file, at: place.offset, expected: what) }

    mutating func enter(_ message: Int, at place: ProtobufPlace) throws(ScanFailure) {
        switch message {
        case Messages.graph:
            graphDepth += 1
            if graphDepth == 1 { isMainGraph = place.message == Messages.model }
            if place.message == Messages.model { model.hasGraph = true }
        case Messages.node:
            model.nodes += 1
            guard model.nodes <= limits.nodesMax else { throw expected("at most \(limits.nodesMax) nodes", place) }
            nodes.append(ONNXModel.Operator())
        case Messages.function:
            guard model.functions.count < limits.functionsMax else { throw expected("at most \(limits.functionsMax) functions", place) }
            function = ONNXModel.Scope(offset: place.offset)
        case Messages.tensor:
            model.tensors += 1
            tensor = Tensor()
        case Messages.opset: opset = ("", nil)
        case Messages.entry: (entryKey, entryValue) = ("", "")
        case Messages.value: valueName = ""
        case Messages.training: model.hasTraining = true
        default: break
        }
    }

    mutating func number(_ value: UInt64, at place: ProtobufPlace) throws(ScanFailure) {
        switch (place.message, place.field) {
        case (Messages.model, 1): model.formatVersion = Int(Int64(bitPattern: value))
        case (Messages.model, 5): model.modelVersion = Int(Int64(bitPattern: value))
        case (Messages.opset, 2): opset.version = value
        case (Messages.tensor, 1): try dimension(Int64(bitPattern: value), place)
        case (Messages.tensor, 14):
            guard value <= 1 else { throw expected("a tensor's data location of 0 or 1", place) }
            if value == 1 { tensor.isExternal = true }
        default: break
        }
    }

    private mutating func dimension(_ value: Int64, _ place: ProtobufPlace) throws(ScanFailure) {
        tensor.dimensions += 1
        guard tensor.dimensions <= limits.dimensionsMax else { throw expected("at most \(limits.dimensionsMax) dimensions", place) }
        let (elements, overflows) = tensor.elements.multipliedReportingOverflow(by: Int(value))
        guard value >= 0, !overflows else { throw expected("dimensions of at least 0 and fewer than 2^63 elements", place) }
        tensor.elements = elements
    }

    mutating func text(_ text: String, at place: ProtobufPlace) throws(ScanFailure) {
        switch (place.message, place.field) {
        case (Messages.model, 2): model.producerName = text
        case (Messages.model, 3): model.producerVersion = text
        case (Messages.model, 4): model.domain = text
        case (Messages.graph, 2): if graphDepth == 1, isMainGraph { model.graphName = text }
        case (Messages.node, 4): nodes[nodes.count - 1].name = text
        case (Messages.node, 7): nodes[nodes.count - 1].domain = Self.domain(text)
        case (Messages.node, 8): nodes[nodes.count - 1].overload = text
        case (Messages.function, 1): function?.name.name = text
        case (Messages.function, 10): function?.name.domain = Self.domain(text)
        case (Messages.function, 13): function?.name.overload = text
        case (Messages.tensor, 8): tensor.name = text
        case (Messages.opset, 1): opset.domain = Self.domain(text)
        case (Messages.entry, 1): entryKey = text
        case (Messages.entry, 2): entryValue = text
        case (Messages.value, 1): valueName = text
        default: break
        }
    }

    mutating func passed(_ count: Int, as use: PassedBytes, at place: ProtobufPlace) throws(ScanFailure) {
        guard place.message == Messages.tensor else { return }
        guard place.field != 1 else { throw expected("at most \(limits.dimensionsMax) dimensions", place) }
        if use == .weights { model.tensorBytes += count }
    }

    mutating func leave(_ message: Int, at place: ProtobufPlace) throws(ScanFailure) {
        switch message {
        case Messages.graph: graphDepth -= 1
        case Messages.node: try use(nodes.removeLast(), place)
        case Messages.function:
            if let scope = function { model.functions.append(scope) }
            function = nil
        case Messages.tensor: leaveTensor(place)
        case Messages.opset: try leaveOpset(place)
        case Messages.entry:
            if place.message == Messages.tensor, place.field == 13 {
                tensor.isExternal = true
                if entryKey == "location" { tensor.location = entryValue }
            }
        case Messages.value:
            // The model's own inputs and outputs, not those of its subgraphs.
            guard graphDepth == 1, isMainGraph, place.message == Messages.graph else { break }
            if place.field == 11 { model.inputs.add(valueName) }
            if place.field == 12 { model.outputs.add(valueName) }
        default: break
        }
    }

    private mutating func use(_ used: ONNXModel.Operator, _ place: ProtobufPlace) throws(ScanFailure) {
        guard !used.name.isEmpty else { throw expected("a node's operator", place) }
        let isNew = function == nil ? model.main.uses[used] == nil : function?.uses[used] == nil
        if isNew { operators += 1 }
        guard operators <= limits.operatorsMax else { throw expected("at most \(limits.operatorsMax) different operators", place) }
        if function == nil { model.main.uses[used, default: 0] += 1 } else { function?.uses[used, default: 0] += 1 }
    }

    private mutating func leaveTensor(_ place: ProtobufPlace) {
        if place.message == Messages.graph, place.field == 5 {
            model.initializers += 1
            model.parameters = Self.sum(model.parameters, tensor.elements)
        }
        guard tensor.isExternal else { return }
        let location = tensor.location.map { "in \($0)" } ?? "in a file that is not named"
        draft.find(.onnxExternalData, in: file, "tensor \(tensor.name) \(location)")
    }

    private mutating func leaveOpset(_ place: ProtobufPlace) throws(ScanFailure) {
        guard let version = opset.version.flatMap({ Int(exactly: Int64(bitPattern: $0)) }), version >= 1 else {
            throw expected("an operator set's version of at least 1", place)
        }
        let isKnown = function == nil ? model.main.opsets[opset.domain] != nil : function?.opsets[opset.domain] != nil
        guard !isKnown else { throw expected("every domain's operator set once", place) }
        let count = function?.opsets.count ?? model.main.opsets.count
        guard count < limits.opsetsMax else { throw expected("at most \(limits.opsetsMax) operator sets", place) }
        if function == nil { model.main.opsets[opset.domain] = version } else { function?.opsets[opset.domain] = version }
    }

    /// ONNX's own domain has two names.
    private static func domain(_ text: String) -> String { text == "ai.onnx" ? "" : text }

    /// Adds up, no further than numbers go.
    static func sum(_ left: Int, _ right: Int) -> Int {
        let (sum, overflows) = left.addingReportingOverflow(right)
        return overflows ? .max : sum
    }
}
