internal import Domain

/// What the inspection objects to, or points out. The raw value is the finding's stable id.
enum ArtifactRule: String, Sendable, Hashable, CaseIterable {
    /// More findings than are listed; as bad as the worst that is left out.
    case moreFindings = "ARCHIPELAGO-MORE-FINDINGS"
    /// A file that the artifact's format does not call for.
    case extraFile = "ARCHIPELAGO-EXTRA-FILE"
    /// Many bytes that no part of the format explains.
    case opaqueBytes = "ARCHIPELAGO-OPAQUE-BYTES"

    /// An import that no Island provides, or provides to nobody.
    case wasmImport = "ARCHIPELAGO-WASM-IMPORT"
    /// An import that reaches for files; there are none.
    case wasmFileImport = "ARCHIPELAGO-WASM-FILE-IMPORT"
    /// A module without the exports of a command.
    case wasmNoCommand = "ARCHIPELAGO-WASM-NO-COMMAND"
    /// More memory from the start than any community level gives.
    case wasmMemory = "ARCHIPELAGO-WASM-MEMORY"
    /// More memory from the start than level 0 gives.
    case wasmMemoryLevel0 = "ARCHIPELAGO-WASM-MEMORY-LEVEL0"
    /// A memory with 64-bit addresses.
    case wasmMemory64 = "ARCHIPELAGO-WASM-MEMORY64"
    /// A memory shared between threads.
    case wasmSharedMemory = "ARCHIPELAGO-WASM-SHARED-MEMORY"
    /// Several memories.
    case wasmManyMemories = "ARCHIPELAGO-WASM-MANY-MEMORIES"
    /// A library to be linked at run time.
    case wasmDynamic = "ARCHIPELAGO-WASM-DYNAMIC"
    /// Debug information, which a reader of the module can see.
    case wasmDebug = "ARCHIPELAGO-WASM-DEBUG"

    /// Tensors in other files.
    case onnxExternalData = "ARCHIPELAGO-ONNX-EXTERNAL-DATA"
    /// An operator that is not in the list.
    case onnxOperator = "ARCHIPELAGO-ONNX-OPERATOR"
    /// An operator set that is newer than the list, or of a domain that is not in it.
    case onnxOpset = "ARCHIPELAGO-ONNX-OPSET"
    /// A format version that is newer than the list.
    case onnxFormat = "ARCHIPELAGO-ONNX-FORMAT"
    /// A model-local function that calls itself, or grows beyond measure when it is put in place.
    case onnxFunction = "ARCHIPELAGO-ONNX-FUNCTION"

    /// A model or layer whose code is the host's.
    case coremlHostCode = "ARCHIPELAGO-COREML-HOST-CODE"
    /// A model in a file that is not part of the artifact.
    case coremlLinkedModel = "ARCHIPELAGO-COREML-LINKED-MODEL"
    /// A model that is only bytes.
    case coremlSerializedModel = "ARCHIPELAGO-COREML-SERIALIZED-MODEL"
    /// A specification version that is newer than the list.
    case coremlSpecification = "ARCHIPELAGO-COREML-SPECIFICATION"
    /// A model type that the open specification does not know.
    case coremlModelType = "ARCHIPELAGO-COREML-MODEL-TYPE"
    /// Weights in a file outside the package.
    case coremlBlobFile = "ARCHIPELAGO-COREML-BLOB-FILE"
    /// A model that changes where it runs.
    case coremlUpdatable = "ARCHIPELAGO-COREML-UPDATABLE"

    /// How bad it is: `high` blocks, `medium` is for a reviewer to judge, `low` informs.
    var severity: Severity {
        switch self {
        // Islands cannot run it as it is, or it would run or read what is not inspected.
        case .extraFile, .wasmImport, .wasmNoCommand, .wasmMemory, .wasmMemory64, .wasmSharedMemory, .wasmManyMemories, .wasmDynamic,
            .onnxExternalData, .onnxOperator, .onnxOpset, .onnxFormat, .onnxFunction, .coremlLinkedModel, .coremlSerializedModel,
            .coremlSpecification, .coremlModelType, .coremlBlobFile:
            .high
        // Somebody else's machine code would run outside the sandbox's idea of a model.
        case .coremlHostCode: .critical
        case .opaqueBytes: .medium
        case .wasmFileImport, .wasmMemoryLevel0, .wasmDebug, .coremlUpdatable: .low
        // Decides nothing by itself: the collector gives the worst severity that it left out.
        case .moreFindings: .unknown
        }
    }
}
