/// Gathers what a Core ML model says while its file is walked over. What runs the host's code is objected to on the way.
///
/// Source of the field numbers: Core ML's open specification, which ``CoreMLSchema`` is made from.
struct CoreMLReader: ProtobufVisitor {
    static let schema = ProtobufSchema(CoreMLSchema.text)

    /// The messages that something is wanted of.
    private enum Messages {
        static let model = schema.index(of: "Model")
        static let description = schema.index(of: "ModelDescription")
        static let feature = schema.index(of: "FeatureDescription")
        static let metadata = schema.index(of: "Metadata")
        static let userDefined = schema.index(of: "Metadata.UserDefinedEntry")
        static let layer = schema.index(of: "NeuralNetworkLayer")
        static let customLayer = schema.index(of: "CustomLayerParams")
        static let customModel = schema.index(of: "CustomModel")
        static let linkedModel = schema.index(of: "LinkedModel")
        static let linkedFile = schema.index(of: "LinkedModelFile")
        static let parameter = schema.index(of: "StringParameter")
        static let serialized = schema.index(of: "SerializedModel")
        static let function = schema.index(of: "MILSpec.Function")
        static let operation = schema.index(of: "MILSpec.Operation")
        static let blob = schema.index(of: "MILSpec.Value.BlobFileValue")
    }

    private(set) var model = CoreMLModel()
    private(set) var draft: ArtifactDraft
    private let limits: CoreMLLimits
    private let file: String
    private var models = 0
    /// Models that are being read, each inside the one before.
    private var open: [CoreMLModel.Part] = []
    private var blob = CoreMLModel.Blob()
    private var feature = ""
    private var userKey = ""
    private var userValue = ""
    /// The name of the custom, linked or serialised thing that is being read.
    private var foreignName = ""
    /// Whether the name in a linked model's file is the next parameter.
    private var parameterIsFileName = false

    init(limits: CoreMLLimits, file: String, draft: ArtifactDraft) {
        self.limits = limits
        self.file = file
        self.draft = draft
    }

    private func expected(_ what: String, _ place: ProtobufPlace) -> ScanFailure { .malformed(file, at: place.offset, expected: what) }

    mutating func enter(_ message: Int, at place: ProtobufPlace) throws(ScanFailure) {
        if place.message == Messages.model, place.field >= CoreMLModelType.firstNumber {
            guard open[open.count - 1].type == nil else { throw expected("one type of model, not two", place) }
            open[open.count - 1].type = place.field
        }
        switch message {
        case Messages.model:
            models += 1
            guard models <= limits.modelsMax else { throw expected("at most \(limits.modelsMax) models", place) }
            open.append(CoreMLModel.Part())
        case Messages.layer: model.layers += 1
        case Messages.customLayer, Messages.customModel, Messages.linkedModel, Messages.serialized: foreignName = ""
        case Messages.parameter: parameterIsFileName = place.message == Messages.linkedFile && place.field == 1
        case Messages.feature: feature = ""
        case Messages.userDefined: (userKey, userValue) = ("", "")
        case Messages.blob: blob = CoreMLModel.Blob()
        default: break
        }
    }

    mutating func number(_ value: UInt64, at place: ProtobufPlace) throws(ScanFailure) {
        switch (place.message, place.field) {
        case (Messages.model, 1):
            // An int32 whose negative values are written with 64 bits.
            guard let version = Int32(exactly: Int64(bitPattern: value)), version >= 0 else { throw expected("a specification version", place) }
            open[open.count - 1].specification = Int(version)
        case (Messages.model, 10):
            if value != 0 { draft.find(.coremlUpdatable, in: file, "an updatable model; Islands never update it") }
        case (Messages.blob, 2): blob.offset = value
        default: break
        }
    }

    mutating func text(_ text: String, at place: ProtobufPlace) throws(ScanFailure) {
        switch (place.message, place.field) {
        case (Messages.customLayer, 10), (Messages.customModel, 10), (Messages.serialized, 1): foreignName = text
        case (Messages.parameter, 1): if parameterIsFileName { foreignName = text }
        case (Messages.blob, 1): blob.file = text
        case (Messages.feature, 1): feature = text
        case (Messages.userDefined, 1): userKey = text
        case (Messages.userDefined, 2): userValue = text
        case (Messages.function, 2): try note(operationSet: text, place)
        case (Messages.operation, 1): try note(operation: text, place)
        case (Messages.metadata, 2): if open.count == 1 { model.version = text }
        case (Messages.metadata, 3): if open.count == 1 { model.author = text }
        case (Messages.metadata, 4): if open.count == 1 { model.license = text }
        default: break
        }
    }

    private mutating func note(operation: String, _ place: ProtobufPlace) throws(ScanFailure) {
        model.operations[operation, default: 0] += 1
        guard model.operations.count <= limits.operationsMax else { throw expected("at most \(limits.operationsMax) different operations", place) }
    }

    private mutating func note(operationSet: String, _ place: ProtobufPlace) throws(ScanFailure) {
        model.operationSets.insert(operationSet)
        guard model.operationSets.count <= limits.operationsMax else { throw expected("at most \(limits.operationsMax) operation sets", place) }
    }

    mutating func passed(_ count: Int, as use: PassedBytes, at place: ProtobufPlace) throws(ScanFailure) {
        if use == .weights { model.weightBytes += count }
    }

    mutating func leave(_ message: Int, at place: ProtobufPlace) throws(ScanFailure) {
        switch message {
        case Messages.model: try leaveModel(place)
        case Messages.customLayer: draft.find(.coremlHostCode, in: file, "custom layer \(foreignName), which runs code of the host")
        case Messages.customModel: draft.find(.coremlHostCode, in: file, "custom model \(foreignName), which runs code of the host")
        case Messages.linkedModel: draft.find(.coremlLinkedModel, in: file, "linked model \(foreignName), which is another file")
        case Messages.serialized: draft.find(.coremlSerializedModel, in: file, "serialised model \(foreignName), which is only bytes")
        case Messages.blob:
            model.blobs.insert(blob)
            guard model.blobs.count <= limits.blobsMax else { throw expected("at most \(limits.blobsMax) values in files of weights", place) }
        case Messages.feature:
            guard open.count == 1, place.message == Messages.description else { break }
            if place.field == 1 { model.inputs.add(feature) }
            if place.field == 10 { model.outputs.add(feature) }
        case Messages.userDefined:
            guard open.count == 1 else { break }
            if userKey == "com.github.apple.coremltools.version" { model.toolVersion = userValue }
            if userKey == "com.github.apple.coremltools.source" { model.toolSource = userValue }
        default: break
        }
    }

    private mutating func leaveModel(_ place: ProtobufPlace) throws(ScanFailure) {
        let part = open.removeLast()
        if open.isEmpty {
            guard let version = part.specification, version >= 1 else { throw expected("a Core ML model with a specificationVersion", place) }
            model.main = part
        } else {
            model.inner.append(part)
        }
        if let version = part.specification, version > CoreMLModelType.newestSpecification {
            draft.find(
                .coremlSpecification, in: file, "specification version \(version), newer than \(CoreMLModelType.newestSpecification)")
        }
        if part.type == nil { draft.find(.coremlModelType, in: file, "a model of no type that is known") }
    }
}
