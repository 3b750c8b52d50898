import Foundation
import OCI
import SignedImages
import Synchronization

/// Copies of signatures on disk, a file for each image, changed last when the image's signature was read from it last. Those that were not used
/// for longest go when there are too many.
final class SignatureFolder: Sendable {
    private let path: String
    private let limits: Limits
    /// One writes at a time, so that nobody removes what another is about to put in its place.
    private let writing = Mutex(())

    /// How much is kept.
    struct Limits: Sendable {
        /// Chosen: as many as are remembered.
        var filesMax = SignatureAdmission.admittedMax
        /// Chosen: a thousand ordinary copies have some 50 MiB, and the largest 96.
        var bytesMax = 256 << 20
    }

    /// Opens a folder, made if missing, and removes what is too much in it.
    init(path: String, limits: Limits = Limits()) throws {
        self.path = path
        self.limits = limits
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        trim(keeping: [])
    }

    /// The copy for an image; `nil` for none, or one that cannot be read.
    func copy(for digest: Digest) -> SignatureCopy? {
        // What cannot be read is fetched anew.
        guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: file(digest))) else { return nil }
        return SignatureCopy(document: Array(bytes))
    }

    /// Notes the use. A file that cannot be changed looks older than it is, and no more.
    func touch(_ digest: Digest) {
        // Without times of its own it takes the kernel's.
        _ = utimes(file(digest), nil)
    }

    /// Keeps a copy for an image in place of the one before.
    ///
    /// - Parameter recent: images in use, the latest last, whose files go after all others.
    func keep(_ copy: SignatureCopy, for digest: Digest, recent: [Digest]) throws {
        let bytes = Data(copy.document)
        try writing.withLock { _ in
            try bytes.write(to: URL(fileURLWithPath: file(digest)), options: .atomic)
            trim(keeping: recent + [digest])
        }
    }

    /// Removes the oldest files until the rest is within the limits; the last of those to keep stays in any case.
    private func trim(keeping recent: [Digest]) {
        let ranks = Dictionary(recent.enumerated().map { (name($0.element), $0.offset + 1) }) { $1 }
        // A folder that cannot be listed now is listed with the next copy.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        var files = names.map { File(name: $0, rank: ranks[$0] ?? 0, in: path) }
        files.sort { ($0.rank, $0.changed) < ($1.rank, $1.changed) }
        var bytes = files.reduce(0) { $0 + $1.bytes }
        var count = files.count
        let latest = recent.last.map(name)
        for file in files where (count > limits.filesMax || bytes > limits.bytesMax) && file.name != latest {
            // What cannot be removed now is tried again with the next copy.
            guard (try? FileManager.default.removeItem(atPath: "\(path)/\(file.name)")) != nil else { continue }
            bytes -= file.bytes
            count -= 1
        }
    }

    private struct File {
        let name: String
        /// 0 for a file that nobody uses.
        let rank: Int
        let changed: Date
        let bytes: Int

        init(name: String, rank: Int, in folder: String) {
            // A file that is gone meanwhile takes no room.
            let attributes = (try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")) ?? [:]
            self.name = name
            self.rank = rank
            changed = attributes[.modificationDate] as? Date ?? .distantPast
            bytes = (attributes[.size] as? NSNumber)?.intValue ?? 0
        }
    }

    private func file(_ digest: Digest) -> String { "\(path)/\(name(digest))" }

    private func name(_ digest: Digest) -> String { "\(digest.algorithm.rawValue)-\(digest.hex).json" }
}
