import Foundation
import OCI
import Sandbox

/// A layer of an image, unpacked on top of the layers below it.
struct UnpackedLayer: Sendable, Hashable, Codable {
    /// Names it together with all layers below it: the same layer on others may mean something else, since it may write through their links.
    /// Source: OCI image specification 1.1, config.md, "Layer ChainID".
    let chain: String
    /// Its folder's name.
    let number: Int
    /// What it took while it was unpacked.
    let use: LayerUnpacker.Use
}

/// Unpacked layers on disk, each once, shared by all images that begin alike.
///
/// A folder under its final name is whole: a layer is unpacked beside, made durable and renamed. One user at a time: the owner of the folder.
actor LayerStore {
    /// Holds everything.
    nonisolated let folder: String
    private let unpacker: LayerUnpacker
    private var layers: [String: UnpackedLayer] = [:]
    private var coming: [String: Task<UnpackedLayer, any Error>] = [:]
    private var lastNumber = 0

    private static let note = "layer.json"
    private static let unfinished = "unpacking-"

    /// Opens the store, and removes what a crash left half unpacked.
    ///
    /// - Throws: `storage_failure` where layers cannot be shown as one.
    init(folder: String, unpacker: LayerUnpacker) async throws {
        self.folder = folder
        self.unpacker = unpacker
        let files = FileManager.default
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in try files.contentsOfDirectory(atPath: folder) {
            guard let layer = try? Self.layer(in: "\(folder)/\(name)"), name == "\(layer.number)" else {
                try files.removeItem(atPath: "\(folder)/\(name)")
                continue
            }
            layers[layer.chain] = layer
            lastNumber = max(lastNumber, layer.number)
        }
        try await Self.tryMerging(in: folder)
    }

    /// Finds out now, and not at the first job, whether kernel and file system can do it.
    private static func tryMerging(in folder: String) async throws {
        let files = FileManager.default
        let name = "\(unfinished)trial"
        for part in ["below", "files", "work", "merged"] {
            try files.createDirectory(atPath: "\(folder)/\(name)/\(part)", withIntermediateDirectories: true)
        }
        do {
            let writable = OverlayMounts.Writable(changes: "\(name)/files", work: "\(name)/work", merged: "\(name)/merged")
            try await OverlayMounts.withMerged(of: ["\(name)/below"], writable, in: folder) { _ in }
            try files.removeItem(atPath: "\(folder)/\(name)")
        } catch {
            throw OCIError(
                .storageFailure,
                "Layers cannot be laid over each other in \(folder): the kernel needs overlayfs, and the file system must be able to carry it, as ext4 "
                    + "and xfs are; use another --data-dir (\(error)).")
        }
    }

    private static func layer(in folder: String) throws -> UnpackedLayer {
        try JSONDecoder().decode(UnpackedLayer.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(note)")))
    }

    /// Every layer that is there.
    var all: [UnpackedLayer] { Array(layers.values) }

    /// Where a layer's own files are, relative to the store's folder.
    nonisolated static func files(_ layer: UnpackedLayer) -> String { "\(layer.number)/files" }

    /// Unpacks what is not there of an image.
    ///
    /// - Throws: as ``LayerUnpacker/unpack(_:to:)``.
    /// - Returns: its layers, lowest first.
    func unpack(_ image: PlatformImage) async throws -> [UnpackedLayer] {
        let diffIDs = image.configuration.diffIDs
        guard diffIDs.count == image.layers.count, !diffIDs.isEmpty else {
            throw OCIError(.malformedDocument, "The image has \(image.layers.count) layers but \(diffIDs.count) diff ids.")
        }
        var below: [UnpackedLayer] = []
        var chain = ""
        for (layer, diffID) in zip(image.layers, diffIDs) {
            chain = chain.isEmpty ? diffID.description : Digest.sha256(of: Array("\(chain) \(diffID)".utf8)).description
            below.append(try await unpacked(layer, diffID, chain, on: below))
        }
        return below
    }

    private func unpacked(_ layer: Descriptor, _ diffID: Digest, _ chain: String, on below: [UnpackedLayer]) async throws -> UnpackedLayer {
        while let other = coming[chain] {
            // Another image has the same layer under way. If it fails or is cancelled, this one does it itself.
            if let done = try? await other.value { return done }
            try Task.checkCancellation()
        }
        if let layer = layers[chain] { return layer }
        lastNumber += 1
        let number = lastNumber
        let (folder, unpacker) = (folder, unpacker)
        // Unstructured: others may wait for it; it ends with the task that began it.
        let task = Task { try await Self.unpack(layer, diffID, chain, number, on: below, in: folder, with: unpacker) }
        coming[chain] = task
        defer { coming[chain] = nil }
        let done = try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
        layers[chain] = done
        return done
    }

    private static func unpack(
        _ layer: Descriptor, _ diffID: Digest, _ chain: String, _ number: Int, on below: [UnpackedLayer], in folder: String,
        with unpacker: LayerUnpacker
    ) async throws -> UnpackedLayer {
        let files = FileManager.default
        let name = "\(unfinished)\(number)"
        do {
            for part in ["files", "work", "merged"] {
                try files.createDirectory(
                    atPath: "\(folder)/\(name)/\(part)", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
            }
            let cancellation = Cancellation()
            let used = below.reduce(LayerUnpacker.Use()) { $0 + $1.use }
            let apply = { @Sendable (path: String) throws -> LayerUnpacker.Use in
                try unpacker.apply(layer, diffID: diffID, onto: path, after: used, cancellation: cancellation)
            }
            let use = try await withTaskCancellationHandler {
                try await OverlayMounts.withMerged(
                    of: below.map(Self.files), .init(changes: "\(name)/files", work: "\(name)/work", merged: "\(name)/merged"), in: folder, apply)
            } onCancel: {
                cancellation.cancel()
            }
            let done = UnpackedLayer(chain: chain, number: number, use: use)
            for part in ["work", "merged"] { try files.removeItem(atPath: "\(folder)/\(name)/\(part)") }
            try JSONEncoder().encode(done).write(to: URL(fileURLWithPath: "\(folder)/\(name)/\(note)"), options: .atomic)
            try files.moveItem(atPath: "\(folder)/\(name)", toPath: "\(folder)/\(number)")
            return done
        } catch {
            // What cannot be removed now is removed when the store is opened.
            try? files.removeItem(atPath: "\(folder)/\(name)")
            throw error
        }
    }

    /// Removes a layer that no image uses.
    func remove(_ layer: UnpackedLayer) throws {
        layers[layer.chain] = nil
        // Out of the way first: a folder under its final name is whole.
        let gone = "\(folder)/\(Self.unfinished)\(layer.number)-gone"
        try FileManager.default.moveItem(atPath: "\(folder)/\(layer.number)", toPath: gone)
        try FileManager.default.removeItem(atPath: gone)
    }
}
