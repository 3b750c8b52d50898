import Foundation
import Glibc

/// The coordinator's disk: a file system in memory that can be full for a while. Needs root; without, the folder is an ordinary one.
struct ChaosDisk: Sendable {
    private let folder: String
    /// Whether it can be full.
    let canBeFull: Bool

    /// Chosen: room for the databases of a hundred thousand jobs.
    private static let options = "size=2g,mode=700"

    /// Makes the folder, and the file system in it where this may.
    init(folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        canBeFull = mount("archipelago-chaos", folder, "tmpfs", 0, Self.options) == 0
    }

    private var filler: String { folder + "/filler" }

    /// Takes all room that is left; `false` if it cannot.
    func fill() -> Bool {
        guard canBeFull else { return false }
        var facts = statvfs()
        let file = Glibc.open(filler, O_WRONLY | O_CREAT, 0o600)
        defer { Glibc.close(file) }
        guard file >= 0, statvfs(folder, &facts) == 0 else { return false }
        // Others take room meanwhile: what is left after the large piece is taken page by page.
        _ = posix_fallocate(file, 0, off_t(facts.f_bavail * facts.f_frsize))
        let page = [UInt8](repeating: 0, count: 4096)
        lseek(file, 0, SEEK_END)
        while write(file, page, page.count) > 0 {}
        return true
    }

    /// Gives the room back.
    func free() { unlink(filler) }

    /// Takes the file system away; what lay in it is gone.
    func remove() {
        if canBeFull { umount2(folder, CInt(MNT_DETACH)) }
    }
}
