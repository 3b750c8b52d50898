/// The kinds of artifact that are not images.
public enum ArtifactKind: String, Sendable, Hashable, CaseIterable {
    /// A WebAssembly core module.
    case wasm
    /// An ONNX model, in one file.
    case onnx
    /// A Core ML model: one `.mlmodel`, or the files of one `.mlpackage`.
    case coreml
}

/// One file of an artifact, on this machine's disk, its digest checked by the caller.
public struct ArtifactFile: Sendable, Hashable {
    /// The path inside the artifact, with `/` between its parts and no `.` or `..`: `model.onnx`, `weights/weight.bin`.
    public let name: String
    /// The absolute path on disk of a regular file; a symbolic link in its last part is not followed.
    public let path: String

    /// A file as it is; nothing is checked here.
    public init(name: String, path: String) {
        self.name = name
        self.path = path
    }
}
