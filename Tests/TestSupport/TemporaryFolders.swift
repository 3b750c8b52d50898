import Foundation

/// Makes a folder of its own where this machine keeps what is temporary, and returns its path. Whoever asks removes it.
///
/// - Parameter name: what its name begins with, to tell whose it is.
public func makeTemporaryFolder(_ name: String) throws -> String {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("\(name)-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    return folder
}
