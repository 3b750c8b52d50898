internal import Foundation

/// The table of contents of a Core ML package.
///
/// Source: the packages that coremltools 9.0 writes: paths are relative to the folder `Data` beside it.
struct CoreMLManifest {
    static let fileName = "Manifest.json"
    /// The folder that the package's items are in.
    static let itemFolder = "Data/"
    /// Versions of the manifest's own format that are read start with this. Source: as above, `1.0.0`.
    private static let versionPrefix = "1."

    /// The model's path from the package's folder on.
    let modelPath: String
    /// Every item's path, as above, sorted.
    let itemPaths: [String]

    /// Reads a manifest.
    ///
    /// - Throws: `malformed_artifact`.
    init(_ source: ArtifactBytes) throws(ScanFailure) {
        func expected(_ what: String) -> ScanFailure { .malformed(source.name, at: nil, expected: what) }
        let document: Document
        do {
            document = try JSONDecoder().decode(Document.self, from: Data(try source.bytes(0..<source.count)))
        } catch let failure as ScanFailure {
            throw failure
        } catch {
            throw expected("a JSON object with fileFormatVersion, itemInfoEntries and rootModelIdentifier")
        }
        guard document.fileFormatVersion.hasPrefix(Self.versionPrefix) else { throw expected("fileFormatVersion 1") }
        for item in document.itemInfoEntries.values where !ArtifactInspector.staysInside(item.path) {
            throw expected("paths inside the package, not \(item.path)")
        }
        guard let root = document.itemInfoEntries[document.rootModelIdentifier] else { throw expected("an item for rootModelIdentifier") }
        modelPath = Self.itemFolder + root.path
        itemPaths = document.itemInfoEntries.values.map { Self.itemFolder + $0.path }.sorted()
    }

    /// The names are the document's own.
    private struct Document: Decodable {
        let fileFormatVersion: String
        let itemInfoEntries: [String: Item]
        let rootModelIdentifier: String

        struct Item: Decodable {
            let path: String
        }
    }
}
