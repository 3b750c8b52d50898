import Foundation
import OCI

/// What an image has on disk; a file for each, changed last when the image was used last.
struct ImageNote: Sendable, Hashable, Codable {
    /// A document or a packed layer.
    struct Blob: Sendable, Hashable, Codable {
        let digest: Digest
        let bytes: Int64
    }

    /// Lowest first.
    let layers: [UnpackedLayer]
    let blobs: [Blob]

    private static func path(_ digest: Digest, _ folder: String) -> String { "\(folder)/\(digest.algorithm.rawValue)-\(digest.hex)" }

    func write(for digest: Digest, in folder: String) throws {
        try JSONEncoder().encode(self).write(to: URL(fileURLWithPath: Self.path(digest, folder)), options: .atomic)
    }

    /// Notes the use. A note that cannot be changed makes its image look older than it is, and no more.
    static func touch(_ digest: Digest, in folder: String) {
        // Without times of its own it takes the kernel's.
        _ = utimes(path(digest, folder), nil)
    }

    static func remove(_ digest: Digest, in folder: String) throws { try FileManager.default.removeItem(atPath: path(digest, folder)) }

    /// Every note of a folder, the least recently used first. What is no note is removed: its image is then fetched again.
    static func all(in folder: String) throws -> [(note: ImageNote, digest: Digest)] {
        let files = FileManager.default
        var found: [(note: ImageNote, digest: Digest, used: Date)] = []
        for name in try files.contentsOfDirectory(atPath: folder) {
            let path = "\(folder)/\(name)"
            guard let digest = try? Digest(name.replacing("-", with: ":", maxReplacements: 1)),
                let note = try? JSONDecoder().decode(ImageNote.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
            else {
                try files.removeItem(atPath: path)
                continue
            }
            let used = try files.attributesOfItem(atPath: path)[.modificationDate] as? Date
            found.append((note, digest, used ?? .distantPast))
        }
        return found.sorted { $0.used < $1.used }.map { ($0.note, $0.digest) }
    }
}
