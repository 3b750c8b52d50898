/// What a model may consist of.
struct ONNXPolicy {
    let model: ONNXModel
    let file: String
    let limits: ONNXLimits
    private let functions: [ONNXModel.Operator: Int]

    /// - Throws: `malformed_artifact` for what a model must have and has not, and for two functions of one name.
    init(_ model: ONNXModel, file: String, limits: ONNXLimits) throws(ScanFailure) {
        self.model = model
        self.file = file
        self.limits = limits
        guard let version = model.formatVersion, version >= 1 else { throw .malformed(file, at: 0, expected: "an ONNX model with an ir_version") }
        guard model.hasGraph else { throw .malformed(file, at: 0, expected: "an ONNX model with a graph") }
        guard !model.main.opsets.isEmpty else { throw .malformed(file, at: 0, expected: "an ONNX model with an opset_import") }
        var functions: [ONNXModel.Operator: Int] = [:]
        for (index, scope) in model.functions.enumerated() {
            guard !scope.name.name.isEmpty, functions[scope.name] == nil else {
                throw .malformed(file, at: scope.offset, expected: "every function with a name of its own")
            }
            if Self.isPlain(scope.name) { functions[scope.name] = index }
        }
        self.functions = functions
    }

    func judge(_ draft: inout ArtifactDraft) {
        if let version = model.formatVersion, version > ONNXOperatorTable.newestFormat {
            draft.find(.onnxFormat, in: file, "format version \(version), newer than \(ONNXOperatorTable.newestFormat)")
        }
        judge(model.main, "", &draft)
        for function in model.functions { judge(function, " in function \(function.name.shown)", &draft) }
        judgeExpansion(&draft)
    }

    private func judge(_ scope: ONNXModel.Scope, _ place: String, _ draft: inout ArtifactDraft) {
        for (domain, version) in scope.opsets.sorted(by: { $0.key < $1.key }) {
            if let newest = ONNXOperators.known.newest(domain: domain), version > newest {
                draft.find(.onnxOpset, in: file, "operator set \(version) of \(Self.shown(domain)), newer than \(newest)\(place)")
            }
        }
        for used in scope.uses.keys.sorted() where functions[used] == nil || !Self.isPlain(used) {
            let version = scope.opsets[used.domain]
            let reason: String
            if !Self.isPlain(used) {
                reason = "a name outside ASCII"
            } else if !ONNXOperators.known.lists(domain: used.domain) {
                reason = "no list of operators for its domain"
            } else if let version {
                if used.overload.isEmpty, ONNXOperators.known.contains(used.name, domain: used.domain, opset: version) { continue }
                reason = "not in operator set \(version)"
            } else {
                reason = "its domain's operator set is not imported"
            }
            draft.find(.onnxOperator, in: file, "operator \(used.shown): \(reason)\(place)", version: version.map { String($0) } ?? "")
        }
    }

    /// Counts the nodes that there are when every function is put in place of its calls: functions that are finished first, then those that
    /// call only finished ones. What is never finished calls itself.
    private func judgeExpansion(_ draft: inout ArtifactDraft) {
        guard !model.functions.isEmpty else { return }
        var callers: [[Int]] = Array(repeating: [], count: model.functions.count)
        var waiting = model.functions.map { scope in scope.uses.keys.count { functions[$0] != nil } }
        for (index, scope) in model.functions.enumerated() {
            for used in scope.uses.keys { if let callee = functions[used] { callers[callee].append(index) } }
        }
        var sizes: [Int?] = Array(repeating: nil, count: model.functions.count)
        var ready = waiting.indices.filter { waiting[$0] == 0 }
        while let index = ready.popLast() {
            sizes[index] = expanded(model.functions[index].uses, sizes)
            for caller in callers[index] {
                waiting[caller] -= 1
                if waiting[caller] == 0 { ready.append(caller) }
            }
        }
        for (index, scope) in model.functions.enumerated() where sizes[index] == nil {
            draft.find(.onnxFunction, in: file, "function \(scope.name.shown) calls itself, or one that does")
        }
        let total = expanded(model.main.uses, sizes)
        if total > limits.expandedNodesMax {
            draft.find(.onnxFunction, in: file, "\(total) nodes with every function put in place, more than \(limits.expandedNodesMax)")
        }
    }

    /// The nodes of some calls, no more than twice the bound: more than that is only more.
    private func expanded(_ uses: [ONNXModel.Operator: Int], _ sizes: [Int?]) -> Int {
        let bound = 2 * limits.expandedNodesMax
        return uses.reduce(0) { sum, use in
            let size = functions[use.key].map { sizes[$0] ?? 0 } ?? 1
            let (product, overflows) = size.multipliedReportingOverflow(by: use.value)
            return min(bound, overflows ? bound : ONNXReader.sum(sum, product))
        }
    }

    /// Whether a name can be told from every other: `String` takes some letters outside ASCII for ones within.
    private static func isPlain(_ used: ONNXModel.Operator) -> Bool {
        [used.domain, used.name, used.overload].allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } }
    }

    static func shown(_ domain: String) -> String { domain.isEmpty ? "ai.onnx" : domain }
}
