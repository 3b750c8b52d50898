/// The bounds of an inspection. What goes beyond one is refused, never passed over in silence.
///
/// All are counts of at least 1, and sizes are in bytes, unless something else is said.
public struct ArtifactInspectionLimits: Sendable, Hashable {
    /// Files of one artifact. Chosen: a Core ML package has three; one with many pipelined models some dozens.
    public var filesMax = 256
    /// Findings listed. Chosen: more than a person reads; the worst severity beyond is kept.
    public var findingsMax = 200
    /// Facts listed, and components too. Chosen: the 46 functions of WASI preview 1 and everything else several times over.
    public var factsMax = 500
    /// Unexplained bytes of one file up to which nobody needs to look. Chosen: notes and build ids fit, a program hardly.
    public var opaqueBytesMax = 64 * 1024
    /// As above, in per cent of the file, `0...100`. Chosen: a tenth; a finding needs more than both.
    public var opaquePercentMax = 10
    /// Bounds for WebAssembly.
    public var wasm = WasmLimits()
    /// Bounds for protocol buffers, which ONNX and Core ML are written in.
    public var protobuf = ProtobufLimits()
    /// Bounds for ONNX.
    public var onnx = ONNXLimits()
    /// Bounds for Core ML.
    public var coreml = CoreMLLimits()

    /// The bounds that the product uses.
    public init() {}
}

/// Bounds for WebAssembly modules.
///
/// Source, where nothing else is said: WebAssembly JavaScript Interface, "Implementation-defined Limits"; what browsers refuse, no
/// toolchain makes.
public struct WasmLimits: Sendable, Hashable {
    /// The largest module. Chosen: a tenth of the source's limit; programs in Go or Swift have some ten mebibytes.
    public var fileBytesMax = 128 * 1024 * 1024
    /// Sections of every kind. Chosen: 13 kinds that occur once, a dozen of debug information, and room.
    public var sectionsMax = 1000
    /// Types.
    public var typesMax = 1_000_000
    /// Parameters of one function.
    public var parametersMax = 1000
    /// Results of one function.
    public var resultsMax = 1000
    /// Imports. Chosen: WASI preview 1 has 46 functions, and a toolchain imports each once for each signature.
    public var importsMax = 10_000
    /// Functions, imported ones not counted.
    public var functionsMax = 1_000_000
    /// Tables.
    public var tablesMax = 100_000
    /// Memories. Source: the JavaScript interface allows 100 of them.
    public var memoriesMax = 100
    /// Tags.
    public var tagsMax = 1_000_000
    /// Globals.
    public var globalsMax = 1_000_000
    /// Exports. Chosen: a tenth of the source's; each is kept to find a second one of its name.
    public var exportsMax = 100_000
    /// Element segments, and data segments.
    public var segmentsMax = 100_000
    /// Entries of one element segment.
    public var elementEntriesMax = 10_000_000
    /// The body of one function, in bytes.
    public var bodyBytesMax = 7_654_321
    /// Local variables of one function, parameters not counted.
    public var localsMax = 50_000
    /// A name, in bytes of UTF-8. Chosen: mangled names of generic Swift code have some kilobytes.
    public var nameBytesMax = 16 * 1024
    /// Entries of one field of the `producers` section, and of `target_features`. Chosen: real ones have a handful.
    public var producersMax = 256

    /// The bounds that the product uses.
    public init() {}
}

/// Bounds for protocol buffers.
public struct ProtobufLimits: Sendable, Hashable {
    /// Messages inside one another. Source: the default recursion limit of Google's own parsers.
    public var nestingMax = 100
    /// Fields of one file, packed numbers counted as one. Chosen: a forest of half a million nodes, written number by number, has five
    /// million; each takes a fraction of a microsecond.
    public var fieldsMax = 8 * 1024 * 1024
    /// A name, in bytes of UTF-8. Chosen: exporters write a layer's whole path, some hundred bytes.
    public var nameBytesMax = 4096
    /// A text for people, or an attribute's text, that is read to be checked; a longer one is unexplained bytes. Chosen: a licence fits.
    public var textBytesMax = 64 * 1024
    /// Packed numbers that are read one by one, in bytes; a longer run counts as weights. Chosen: shapes and lists of axes fit.
    public var packedBytesMax = 4096

    /// The bounds that the product uses.
    public init() {}
}

/// Bounds for ONNX models.
public struct ONNXLimits: Sendable, Hashable {
    /// The largest model. Source: protocol buffers, "Proto Limits": a message has less than 2 GiB.
    public var fileBytesMax = Int(Int32.max)
    /// Nodes, those of subgraphs and functions counted too. Chosen: the largest exported language models have some ten thousand.
    public var nodesMax = 500_000
    /// Nodes when every model-local function is put in place of its calls. Chosen: twice as many as a file may hold.
    public var expandedNodesMax = 1_000_000
    /// Model-local functions. Chosen: exporters write one for each kind of layer, some hundreds.
    public var functionsMax = 10_000
    /// Different operators of one file, counted for the graph and each function. Chosen: ONNX itself has about two hundred.
    public var operatorsMax = 100_000
    /// Operator sets that the model or one function imports. Chosen: as many domains as anybody mixes, and room.
    public var opsetsMax = 100
    /// Dimensions of one tensor. Chosen: eight are the most that runtimes know.
    public var dimensionsMax = 64

    /// The bounds that the product uses.
    public init() {}
}

/// Bounds for Core ML models.
public struct CoreMLLimits: Sendable, Hashable {
    /// The largest model specification. Source: as for ONNX.
    public var fileBytesMax = Int(Int32.max)
    /// The largest file of weights. Chosen: as a model; a Cargo has to be carried to every Island.
    public var weightsBytesMax = Int(Int32.max)
    /// `Manifest.json`. Chosen: three entries take about a kilobyte.
    public var manifestBytesMax = 64 * 1024
    /// Models inside one another or side by side in pipelines. Chosen: real pipelines have some ten.
    public var modelsMax = 1000
    /// Values kept in files of weights. Chosen: as the nodes of an ONNX model.
    public var blobsMax = 500_000
    /// Different operations of one file. Chosen: the intermediate language has about two hundred.
    public var operationsMax = 10_000

    /// The bounds that the product uses.
    public init() {}
}
