import Foundation
import Glibc
import Synchronization

@testable import Sandbox

/// Unpacked images of example programs, each made once; jobs that start together may ask for the same.
final class ImageFolders: Sendable {
    private let folder: String
    private let ownerID: UInt32
    private let made = Mutex<Set<String>>([])

    init(in folder: String, ownerID: UInt32) {
        self.folder = folder
        self.ownerID = ownerID
    }

    /// An image that holds one program as `/cargo`.
    func image(_ program: String) throws -> String {
        let root = "\(folder)/image-\(program)"
        try made.withLock { made in
            guard !made.contains(program) else { return }
            mkdir(root, 0o755)
            try FileManager.default.copyItem(atPath: Programs.path(program), toPath: root + "/cargo")
            for path in [root, root + "/cargo"] { chown(path, ownerID, ownerID) }
            made.insert(program)
        }
        return root
    }
}
