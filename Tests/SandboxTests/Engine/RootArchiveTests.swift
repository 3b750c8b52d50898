import Domain
import Foundation
import Glibc
import Testing

@testable import Sandbox

struct RootArchiveTests {
    /// A folder with one of everything.
    private func makeRoot() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let long = String(repeating: "long-name-", count: 12)
        for name in ["bin", "tmp", "proc", "etc", "deep", "deep/\(long)"] { mkdir("\(folder.path)/\(name)", 0o755) }
        try folder.write("/bin/tool", String(repeating: "x", count: 1000))
        chmod("\(folder.path)/bin/tool", 0o4755)
        link("\(folder.path)/bin/tool", "\(folder.path)/bin/zwilling")
        symlink("tool", "\(folder.path)/bin/link")
        symlink("/" + long, "\(folder.path)/bin/long-link")
        try folder.write("/empty", "")
        try folder.write("/deep/\(long)/ä", "umlaut")
        try folder.write("/tmp/hidden", "hidden")
        mkfifo("\(folder.path)/etc/pipe", 0o600)
        return folder
    }

    private func archive(_ folder: TemporaryFolder) throws -> [UInt8] {
        try folder.write("/../\(folder.path.split(separator: "/").last ?? "")-entry", "ENTRY")
        var archive = try RootArchive(RootListing(of: folder.path, idOffset: 0), cageEntryPath: folder.path + "-entry")
        unlink(folder.path + "-entry")
        var bytes: [UInt8] = []
        while let piece = try archive.piece() { bytes += piece }
        return bytes
    }

    /// GNU tar reads the archive: it is the second opinion.
    @Test func anotherProgramReadsTheArchive() throws {
        let root = try makeRoot()
        let target = try TemporaryFolder()
        try Data(archive(root)).write(to: URL(fileURLWithPath: target.path + "/a.tar"))
        let log = try Descriptor.open(target.path + "/list", O_WRONLY | O_CREAT, mode: 0o600)
        let nothing = try Descriptor.open("/dev/null", O_RDWR)
        let tar = try ChildProcess(
            path: "/usr/bin/tar", arguments: ["--numeric-owner", "--utc", "-tvf", target.path + "/a.tar", "--quoting-style=literal"],
            environment: ["LC_ALL=C.UTF-8"], descriptors: [nothing, log, log])
        #expect(try tar.reap() == 0)
        let lines = try String(contentsOfFile: target.path + "/list", encoding: .utf8).split(separator: "\n").map { line in
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            return ([fields[0], fields[2]] + fields[5...]).joined(separator: " ")
        }
        let long = String(repeating: "long-name-", count: 12)
        let expected: Set<String> = [
            "-r-xr-xr-x 5 .archipelago-cage-entry", "drwxr-xr-x 0 sys/", "drwxr-xr-x 0 dev/", "drwxr-xr-x 0 run/", "drwxr-xr-x 0 bin/",
            "lrwxrwxrwx 0 bin/link -> tool", "lrwxrwxrwx 0 bin/long-link -> /\(long)", "-rwxr-xr-x 1000 bin/tool",
            "hrwxr-xr-x 0 bin/zwilling link to bin/tool", "drwxr-xr-x 0 deep/", "drwxr-xr-x 0 deep/\(long)/", "-rw-r--r-- 6 deep/\(long)/ä",
            "-rw-r--r-- 0 empty", "drwxr-xr-x 0 etc/", "drwxr-xr-x 0 proc/", "drwxrwxrwt 0 tmp/",
        ]
        #expect(Set(lines) == expected, "\(lines)")
        #expect(lines.count == expected.count)
    }

    @Test func aFingerprintChangesWithAnythingThatCounts() throws {
        let root = try makeRoot()
        func fingerprint() throws -> RootListing.Fingerprint { try RootListing(of: root.path, idOffset: 0).fingerprint }
        let first = try fingerprint()
        #expect(try fingerprint() == first)
        var seen = [first]
        let changes: [() throws -> Void] = [
            { try root.write("/empty", "x") }, { try root.write("/empty", "y") }, { chmod(root.path + "/empty", 0o600) },
            { chown(root.path + "/empty", 1, 1) }, { rename(root.path + "/empty", root.path + "/full") }, { symlink("a", root.path + "/l") },
            { unlink(root.path + "/l") }, { symlink("b", root.path + "/l") }, { mkdir(root.path + "/new", 0o755) },
        ]
        for change in changes {
            try change()
            let next = try fingerprint()
            #expect(next != seen.last)
            seen.append(next)
        }
    }

    @Test(arguments: ["proc", "dev", "sys", "tmp"])
    func aMountPointThatLeadsElsewhereIsRefused(name: String) throws {
        let root = try TemporaryFolder()
        symlink("/etc", "\(root.path)/\(name)")
        let error = #expect(throws: SandboxError.self) { try RootListing(of: root.path, idOffset: 0) }
        #expect(error?.code == .unusableRoot)
    }

    @Test func theCageEntrysPlaceIsItsOwn() throws {
        let root = try TemporaryFolder()
        try root.write(ContainerRequest.entryPath, "mine")
        let error = #expect(throws: SandboxError.self) { try RootListing(of: root.path, idOffset: 0) }
        #expect(error?.code == .unusableRoot)
        #expect(error?.fault == .cargo)
    }

    @Test func aRootThatIsNotThereIsTheIslandsFault() {
        let error = #expect(throws: SandboxError.self) { try RootListing(of: "/nowhere", idOffset: 0) }
        #expect(error?.fault == .island)
    }

    @Test func aFolderThatChangesWhileItIsReadIsNoArchive() throws {
        let root = try TemporaryFolder()
        try root.write("/a", String(repeating: "x", count: 3 << 20))
        let listing = try RootListing(of: root.path, idOffset: 0)
        try root.write("/a", "short")
        var archive = try RootArchive(listing, cageEntryPath: "/dev/null")
        #expect(throws: SandboxError.self) { while try archive.piece() != nil {} }
    }
}
