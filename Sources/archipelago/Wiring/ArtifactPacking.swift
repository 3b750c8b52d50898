import Foundation
import JSON
import OCI
import Scanning

/// A WebAssembly module or a model on this machine, on its way to become an artifact.
struct ArtifactPacking {
    let kind: ArtifactKind
    let files: [ArtifactBuilder.File]

    /// Reads from a path's ending what it is; `nil` for anything else, which becomes a container image.
    ///
    /// - Parameter path: a file `*.wasm`, `*.onnx` or `*.mlmodel`, or a folder `*.mlpackage`.
    init?(_ path: String) throws {
        let url = URL(fileURLWithPath: path)
        switch url.pathExtension.lowercased() {
        case "wasm": (kind, files) = (.wasm, [.init(source: path, name: url.lastPathComponent)])
        case "onnx": (kind, files) = (.onnx, [.init(source: path, name: url.lastPathComponent)])
        case "mlmodel": (kind, files) = (.coreml, [.init(source: path, name: url.lastPathComponent)])
        case "mlpackage": (kind, files) = (.coreml, try Self.files(in: path))
        default: return nil
        }
    }

    /// Files of a package. Chosen: real ones have three to ten.
    private static let filesMax = 256

    private static func files(in folder: String) throws -> [ArtifactBuilder.File] {
        guard let names = FileManager.default.enumerator(atPath: folder) else { throw CommandFailure(.notFound, "There is no folder '\(folder)'.") }
        var files: [ArtifactBuilder.File] = []
        for case let name as String in names where names.fileAttributes?[.type] as? FileAttributeType == .typeRegular {
            files.append(.init(source: "\(folder)/\(name)", name: name))
            guard files.count <= filesMax else {
                throw CommandFailure(.usage, "'\(folder)' has more than \(filesMax) files; that is no model package.")
            }
        }
        guard !files.isEmpty else { throw CommandFailure(.usage, "'\(folder)' holds no file.") }
        return files.sorted { $0.name < $1.name }
    }

    /// The configuration of a WebAssembly artifact. Source: CNCF, "Wasm OCI Artifact layout", configuration media type v0.
    @Sendable static func wasmConfiguration(_ digests: [Digest]) -> (mediaType: String, bytes: [UInt8]) {
        let configuration: JSONObject = [
            "architecture": "wasm", "layerDigests": .array(digests.map { .string($0.description) }), "os": "wasip1",
        ]
        return ("application/vnd.wasm.config.v0+json", Array(configuration.text.utf8))
    }
}
