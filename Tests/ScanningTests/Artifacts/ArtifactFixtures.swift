import Domain
import Foundation
import Testing

@testable import Scanning

/// The artifacts beside the tests, and what other tools say of them.
enum ArtifactFixtures {
    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let root = package.appending(path: "Tests/Fixtures/artifacts")

    // swift-format-ignore: NeverUseForceTry
    static let expected: Expected = try! JSONDecoder().decode(Expected.self, from: Data(contentsOf: root.appending(path: "expected.json")))

    /// Every artifact of the fixtures.
    static let all: [(kind: ArtifactKind, name: String)] =
        expected.wasm.keys.sorted().map { (.wasm, $0) } + expected.onnx.keys.sorted().map { (.onnx, $0) }
        + expected.coreml.keys.sorted().map { (.coreml, $0) }

    /// The files of one artifact of the fixtures.
    static func files(_ kind: ArtifactKind, _ name: String) -> [ArtifactFile] {
        switch kind {
        case .wasm: return [ArtifactFile(name: "module.wasm", path: root.appending(path: "wasm/\(name).wasm").path)]
        case .onnx: return [ArtifactFile(name: "model.onnx", path: root.appending(path: "onnx/\(name).onnx").path)]
        case .coreml:
            if let files = expected.coreml[name]?.files {
                return files.map { ArtifactFile(name: $0, path: root.appending(path: "coreml/\(name).mlpackage/\($0)").path) }
            }
            return [ArtifactFile(name: "model.mlmodel", path: root.appending(path: "coreml/\(name).mlmodel").path)]
        }
    }

    static func bytes(_ kind: ArtifactKind, _ name: String) throws -> [(name: String, bytes: [UInt8])] {
        try files(kind, name).map { ($0.name, [UInt8](try Data(contentsOf: URL(filePath: $0.path)))) }
    }

    static func report(_ kind: ArtifactKind, _ name: String) throws -> ArtifactReport {
        try ArtifactInspector().inspect(kind, files: files(kind, name))
    }

    struct Expected: Decodable, Sendable {
        let wasi: [String]
        let wasm: [String: Module]
        let onnx_newest: [String: Int]
        let onnx_ir: Int
        let onnx_operators: [String: [String: [[Int]]]]
        let onnx: [String: Model]
        let coreml_types: [String: String]
        let coreml_newest: Int
        let coreml: [String: CoreML]

        struct Module: Decodable, Sendable {
            let bytes, inspected, code, data, debug, opaque, functions: Int
            let sections, imports, exports: [String]
            let custom: [Custom]
            let memories: [[Int?]]
            let producers: [[String]]?
            let features: [String]?

            struct Custom: Decodable, Sendable {
                let name: String
                let bytes: Int
                init(from decoder: any Decoder) throws {
                    var pair = try decoder.unkeyedContainer()
                    name = try pair.decode(String.self)
                    bytes = try pair.decode(Int.self)
                }
            }
        }
        struct Model: Decodable, Sendable {
            let bytes, inspected, ir_version, nodes, functions, initializers, parameters, tensors, tensor_bytes: Int
            let opsets, operators: [String: Int]
            let producer, unknown, inputs, outputs: [String]
            let external: [[String?]]
        }
        struct CoreML: Decodable, Sendable {
            let bytes, specification, layers, weight_bytes: Int
            let inspected: Int?
            let type: String?
            let updatable: Bool
            let inner: [Part]
            let operations: [String: Int]
            let custom, inputs, outputs, metadata: [String]
            let blobs: [Blob]
            let tool: String?
            let files: [String]?

            struct Part: Decodable, Sendable {
                let text: String
                init(from decoder: any Decoder) throws {
                    var pair = try decoder.unkeyedContainer()
                    text = "\(try pair.decode(String.self)), specification version \(try pair.decode(Int.self))"
                }
            }
            struct Blob: Decodable, Sendable {
                let file: String
                let offset: Int
                init(from decoder: any Decoder) throws {
                    var pair = try decoder.unkeyedContainer()
                    file = try pair.decode(String.self)
                    offset = try pair.decode(Int.self)
                }
            }
        }
    }
}

extension ArtifactReport {
    /// The values of all facts of one name.
    func values(_ name: String) -> [String] { facts.filter { $0.name == name }.map(\.value) }
    func number(_ name: String) -> Int? { values(name).first.flatMap { Int($0) } }
    /// The ids of the findings, each once, sorted.
    var rules: [String] { Set(findings.map(\.id)).sorted() }
    func things(_ rule: ArtifactRule) -> [String] { findings.filter { $0.id == rule.rawValue }.map(\.package) }
}

/// Inspects bytes in memory.
func inspect(
    _ kind: ArtifactKind, _ files: [(name: String, bytes: [UInt8])], limits: ArtifactInspectionLimits = .init()
) throws(ScanFailure) -> ArtifactReport {
    try ArtifactInspector(limits: limits).inspect(kind, sources: files.map { ArtifactBytes(name: $0.name, bytes: $0.bytes) })
}

func inspect(_ kind: ArtifactKind, _ bytes: [UInt8], limits: ArtifactInspectionLimits = .init()) throws(ScanFailure) -> ArtifactReport {
    try inspect(kind, [(kind == .coreml ? "model.mlmodel" : "the.\(kind.rawValue)", bytes)], limits: limits)
}

/// Returns why bytes are refused.
func refusal(
    _ kind: ArtifactKind, _ bytes: [UInt8], limits: ArtifactInspectionLimits = .init(), sourceLocation: SourceLocation = #_sourceLocation
) throws -> ScanFailure {
    do {
        _ = try inspect(kind, bytes, limits: limits)
    } catch { return error }
    Issue.record("it should have been refused", sourceLocation: sourceLocation)
    throw CancellationError()
}

/// A folder of files that is removed with this object.
final class ArtifactFolder: Sendable {
    let url: URL

    init() throws {
        url = URL(filePath: NSTemporaryDirectory()).appending(path: "artifact-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Writes a file and returns it.
    func file(_ name: String, _ bytes: [UInt8]) throws -> ArtifactFile {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
        return ArtifactFile(name: name, path: file.path)
    }
}
