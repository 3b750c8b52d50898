import Coordinator
import Foundation
import Sigstore

/// The file `log.key` in a data folder: the key that the transparency log signs with, readable by its owner only.
///
/// A PEM document of the type `PRIVATE KEY` (PKCS#8), on P-256.
struct LogKeyFile {
    let path: String

    /// The file of a coordinator's data folder.
    init(folder: String) { path = folder + "/log.key" }

    /// Chosen: a key of this kind has 241 bytes.
    private static let bytesMax = 64 << 10

    /// The log's signer; on the first start its key is made.
    ///
    /// - Throws: ``CommandFailure`` `refused` when others may read the file, `failed` when it cannot be read or written.
    func signer() throws -> LogSigner {
        if let signer = try existing() { return signer }
        try save(.generate())
        guard let signer = try existing() else { throw CommandFailure(.failed, "\(path) was removed as soon as it was written.") }
        return signer
    }

    /// The signer of a log that began earlier; `nil` when there is no file.
    func existing() throws -> LogSigner? {
        let (descriptor, reason) = (open(path, O_RDONLY | O_CLOEXEC), errno)
        guard descriptor >= 0 else {
            if reason == ENOENT { return nil }
            throw CommandFailure(.failed, "\(path) cannot be read (\(String(cString: strerror(reason)))); check who owns it.")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let permissions = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        guard let permissions, permissions & 0o077 == 0 else {
            throw CommandFailure(.refused, "\(path) can be read by others, and holds the log's key. If nobody has: chmod 600 \(path)")
        }
        let bytes = try file.read(upToCount: Self.bytesMax) ?? Data()
        do throws(PublicKey.Unusable) {
            return try LogSigner(name: TransparencyLog.name, key: SigningKey(pem: String(decoding: bytes, as: UTF8.self)))
        } catch {
            throw CommandFailure(.failed, "\(path) cannot be used: \(error.message). Bring it back from a backup.")
        }
    }

    /// Writes the file so that it is whole or absent, and stays with the power gone: no signature is made with a key that is not on disk.
    private func save(_ key: SigningKey) throws {
        let beside = path + ".new"
        unlink(beside)
        let (descriptor, reason) = (open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600), errno)
        guard descriptor >= 0 else { throw CommandFailure(.failed, "\(beside) cannot be written (\(String(cString: strerror(reason)))).") }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: Data(key.pem.utf8))
            try file.synchronize()
            guard rename(beside, path) == 0 else { throw CommandFailure(.failed, "\(path) cannot be written.") }
        } catch {
            unlink(beside)
            throw error
        }
        let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw CommandFailure(.failed, "The folder of \(path) cannot be opened.") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw CommandFailure(.failed, "The folder of \(path) cannot be written to disk.") }
    }
}
