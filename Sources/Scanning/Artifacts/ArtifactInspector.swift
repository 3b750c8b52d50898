/// Looks into artifacts that are not images: what they are made of, what they ask of an Island, and how much of them could be looked at.
///
/// No package database exists for such artifacts, so their structure is all that can be judged. What cannot be read is an error, never a
/// clean report.
public struct ArtifactInspector: Sendable {
    private let limits: ArtifactInspectionLimits

    /// An inspector with its bounds.
    public init(limits: ArtifactInspectionLimits = .init()) { self.limits = limits }

    /// Reads an artifact's files and says what is in them.
    ///
    /// Blocks, so call it off the cooperative pool; some hundred mebibytes of weights take no longer than none, because they are passed
    /// over. Keeps nothing, and gives the same report for the same files.
    ///
    /// - Parameters:
    ///   - kind: what the artifact claims to be.
    ///   - files: for `wasm` and `onnx` one file, or several of which exactly one is named `*.wasm` or `*.onnx`; for `coreml` one file
    ///     `*.mlmodel`, or all files of one package, `Manifest.json` among them, named from the package's folder on.
    /// - Throws: ``ScanFailure``: `malformed_artifact` (not what it says, or a count beyond a bound; the message names the byte and what was
    ///   expected there), `artifact_too_large`, `unsupported_artifact` (well formed, but no Island runs it), `artifact_unreadable` (the
    ///   disk's fault).
    public func inspect(_ kind: ArtifactKind, files: [ArtifactFile]) throws(ScanFailure) -> ArtifactReport {
        try checkNames(files)
        var sources: [ArtifactBytes] = []
        for file in files { sources.append(try ArtifactBytes(file, bytesMax: bytesMax(kind, file.name))) }
        return try inspect(kind, sources: sources)
    }

    /// As above, for files that are open.
    func inspect(_ kind: ArtifactKind, sources: [ArtifactBytes]) throws(ScanFailure) -> ArtifactReport {
        var draft = ArtifactDraft(limits: limits)
        switch kind {
        case .wasm:
            let source = try main(of: sources, suffix: ".wasm", &draft)
            var reader = WasmReader(limits: limits.wasm)
            try reader.read(source)
            WasmPolicy.judge(reader.module, file: source.name, &draft)
            WasmPolicy.describe(reader.module, &draft)
        case .onnx:
            let source = try main(of: sources, suffix: ".onnx", &draft)
            try ONNXInspector(limits: limits).inspect(source, &draft)
        case .coreml:
            try CoreMLInspector(limits: limits).inspect(sources, &draft)
        }
        return draft.report(kind, sources: sources)
    }

    private func bytesMax(_ kind: ArtifactKind, _ name: String) -> Int {
        switch kind {
        case .wasm: limits.wasm.fileBytesMax
        case .onnx: limits.onnx.fileBytesMax
        case .coreml:
            if name.hasSuffix(CoreMLManifest.fileName) {
                limits.coreml.manifestBytesMax
            } else if name.hasSuffix(".mlmodel") {
                limits.coreml.fileBytesMax
            } else {
                limits.coreml.weightsBytesMax
            }
        }
    }

    /// Checks that there are files, not too many, each with a name of its own that stays inside the artifact.
    private func checkNames(_ files: [ArtifactFile]) throws(ScanFailure) {
        guard !files.isEmpty, files.count <= limits.filesMax else {
            throw .malformed("the artifact", at: nil, expected: "1 to \(limits.filesMax) files, not \(files.count)")
        }
        var names: Set<String> = []
        for file in files {
            guard Self.staysInside(file.name) else { throw .malformed(file.name, at: nil, expected: "a relative name without . and ..") }
            guard names.insert(file.name).inserted else { throw .malformed(file.name, at: nil, expected: "every file's name once") }
        }
    }

    /// Whether a path is relative and has only ordinary parts. By bytes, as a file system sees it: for Swift a slash with an accent on it
    /// is no slash.
    static func staysInside(_ name: String) -> Bool {
        let (dot, slash) = (UInt8(ascii: "."), UInt8(ascii: "/"))
        guard !name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\\") }) else { return false }
        return name.utf8.split(separator: slash, omittingEmptySubsequences: false)
            .allSatisfy { !$0.isEmpty && !$0.elementsEqual([dot]) && !$0.elementsEqual([dot, dot]) }
    }

    /// Returns the one file that is the artifact; the others are objected to, and their bytes are unexplained.
    private func main(of sources: [ArtifactBytes], suffix: String, _ draft: inout ArtifactDraft) throws(ScanFailure) -> ArtifactBytes {
        if sources.count == 1, let only = sources.first { return only }
        let fitting = sources.filter { $0.name.hasSuffix(suffix) }
        guard fitting.count == 1, let main = fitting.first else {
            throw .malformed("the artifact", at: nil, expected: "exactly one file whose name ends in \(suffix), not \(fitting.count)")
        }
        for source in sources where source !== main {
            source.note(source.count, as: .opaque)
            draft.find(.extraFile, in: source.name, "a second file; a Cargo of this kind is one file")
        }
        return main
    }
}
