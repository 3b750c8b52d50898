/// What a model says, as far as the policy asks.
struct ONNXModel {
    /// An operator, or a model-local function, by its whole name.
    struct Operator: Hashable, Comparable {
        /// The domain; empty for ONNX's own, which may also be written `ai.onnx`.
        var domain = ""
        var name = ""
        /// Tells functions of one name apart; empty for operators.
        var overload = ""

        /// The name for people: `ai.onnx.ml.Scaler`, `Add`.
        var shown: String { (domain.isEmpty ? "" : "\(domain).") + name + (overload.isEmpty ? "" : ":\(overload)") }

        static func < (left: Operator, right: Operator) -> Bool {
            (left.domain, left.name, left.overload) < (right.domain, right.name, right.overload)
        }
    }

    /// Where nodes stand, with the operator sets that they are of: the model itself, or one of its functions.
    struct Scope {
        /// Of a function: its name.
        var name = Operator()
        /// The version of each domain's operator set.
        var opsets: [String: Int] = [:]
        /// How often each operator occurs, subgraphs counted too.
        var uses: [Operator: Int] = [:]
        /// Where the scope begins in the file, in bytes.
        var offset = 0
    }

    var formatVersion: Int?
    var producerName = ""
    var producerVersion = ""
    var domain = ""
    var modelVersion: Int?
    var hasGraph = false
    var graphName = ""
    /// The model's own scope.
    var main = Scope()
    var functions: [Scope] = []
    var nodes = 0
    /// Tensors of every kind, and the numbers in them that the file holds, in bytes.
    var tensors = 0
    var tensorBytes = 0
    var initializers = 0
    /// The elements of all initializers together.
    var parameters = 0
    var inputs = ArtifactNames()
    var outputs = ArtifactNames()
    var hasTraining = false
}
