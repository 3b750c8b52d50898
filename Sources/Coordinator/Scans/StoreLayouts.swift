import Foundation
public import OCI
public import Scanning

/// Layouts written from a content store into a folder of their own.
public struct StoreLayouts: ImageLayouts {
    private let store: ContentStore
    private let exporter: LayoutExporter
    private let folder: String

    /// Layouts below `folder`, which is emptied: what a stopped process left there is of no use.
    ///
    /// - Throws: when the folder cannot be made.
    public init(store: ContentStore, folder: String) throws {
        self.store = store
        exporter = LayoutExporter(store: store)
        self.folder = folder
        let files = FileManager.default
        if files.fileExists(atPath: folder) { try files.removeItem(atPath: folder) }
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    public func makeLayout(of image: PlatformImage) async throws -> String {
        let path = "\(folder)/\(UUID().uuidString)"
        try await exporter.export(image, to: path)
        return path
    }

    public func packageTraces(in image: PlatformImage) async throws -> PackageTraces {
        var traces = PackageTraces()
        for file in try await store.files(of: image, startBytes: PackageTraces.startBytes) {
            let entry: PackageTraces.Entry =
                switch file.kind {
                case .file(let start, let size): .file(start: start, size: size)
                // A hard link's target is a path of the image, as an absolute link's is.
                case .hardLink(let target): .link(to: "/" + target)
                case .symbolicLink(let target): .link(to: target)
                }
            traces.add(file.path, entry, writtenAs: file.pathInLayer)
        }
        return traces
    }

    public func removeLayout(_ path: String) async {
        // What stays is removed at the next start.
        try? FileManager.default.removeItem(atPath: path)
    }
}
