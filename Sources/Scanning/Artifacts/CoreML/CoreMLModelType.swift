/// The types of Core ML models.
enum CoreMLModelType {
    /// Returns the name of a type by its field's number in a model; `nil` when the open specification has no such type.
    ///
    /// Source: Core ML's open specification, `Model.proto`, `oneof Type`, in coremltools 9.0.
    static func name(_ number: Int) -> String? { names[number] }

    /// The newest specification version known. Source: coremltools 9.0, `_SPECIFICATION_VERSION_IOS_26`.
    static let newestSpecification = 10

    /// The field numbers below are a model's own; types have higher ones.
    static let firstNumber = 200

    private static let names: [Int: String] = [
        200: "pipelineClassifier", 201: "pipelineRegressor", 202: "pipeline",
        300: "glmRegressor", 301: "supportVectorRegressor", 302: "treeEnsembleRegressor", 303: "neuralNetworkRegressor",
        304: "bayesianProbitRegressor",
        400: "glmClassifier", 401: "supportVectorClassifier", 402: "treeEnsembleClassifier", 403: "neuralNetworkClassifier",
        404: "kNearestNeighborsClassifier",
        500: "neuralNetwork", 501: "itemSimilarityRecommender", 502: "mlProgram",
        555: "customModel", 556: "linkedModel", 560: "classConfidenceThresholding",
        600: "oneHotEncoder", 601: "imputer", 602: "featureVectorizer", 603: "dictVectorizer", 604: "scaler", 606: "categoricalMapping",
        607: "normalizer", 609: "arrayFeatureExtractor", 610: "nonMaximumSuppression",
        900: "identity",
        2000: "textClassifier", 2001: "wordTagger", 2002: "visionFeaturePrint", 2003: "soundAnalysisPreprocessing", 2004: "gazetteer",
        2005: "wordEmbedding", 2006: "audioFeaturePrint",
        3000: "serializedModel",
    ]
}

/// What a model says, as far as the policy asks.
struct CoreMLModel {
    /// A value that is kept in a file of weights.
    struct Blob: Hashable {
        var file = ""
        /// Where its description stands in that file, in bytes.
        var offset: UInt64 = 0
    }

    /// A model, or one inside a pipeline.
    struct Part: Hashable {
        var specification: Int?
        /// The type's field number; `nil` when there is none that is known.
        var type: Int?
    }

    /// The whole model first, then those inside it, as they end.
    var main = Part()
    var inner: [Part] = []
    var layers = 0
    /// How often each operation of the intermediate language occurs.
    var operations: [String: Int] = [:]
    var operationSets: Set<String> = []
    var weightBytes = 0
    var blobs: Set<Blob> = []
    var inputs = ArtifactNames()
    var outputs = ArtifactNames()
    var version = ""
    var author = ""
    var license = ""
    /// What the tool that made the model says of itself.
    var toolVersion = ""
    /// What it was converted from: `torch==2.1.0`.
    var toolSource = ""
}
