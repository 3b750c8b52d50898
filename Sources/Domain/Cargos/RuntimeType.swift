/// What kind of program a Cargo is.
public enum RuntimeType: String, Sendable, Hashable, CaseIterable {
    case container, wasm, coreml, onnx
}
