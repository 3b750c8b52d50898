internal import Foundation
internal import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The folder of one run of a scanner: everything it can find or leave behind. Its methods block.
///
///     RUN/empty    the working folder, where a scanner would look for configuration and ignore files
///     RUN/home     HOME
///     RUN/temp     TMPDIR
///     RUN/image    a link to the image's layout
///     RUN/report   where the report is written
struct ScanWorkspace: Sendable {
    let root: FilePath

    var workingFolder: FilePath { root.appending("empty") }
    var home: FilePath { root.appending("home") }
    var temporary: FilePath { root.appending("temp") }
    var report: FilePath { root.appending("report") }

    /// The image and the report as the scanner is told of them, relative to its working folder.
    ///
    /// Relative, because Trivy takes what follows a `:` or `@` in an input path for a tag or a digest, and a configured
    /// folder may have those in its name.
    let imageArgument = "../image"
    let reportArgument = "../report"

    /// Makes a new folder that only this user may enter.
    static func make(in workFolder: String, layoutFolder: String) throws(ScanFailure) -> ScanWorkspace {
        guard workFolder.hasPrefix("/"), !workFolder.contains("\0") else {
            throw unusable(workFolder, "the path is not absolute")
        }
        do {
            let files = FileManager.default
            try files.createDirectory(
                atPath: workFolder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let workspace = ScanWorkspace(root: FilePath(try makeUniqueFolder(in: workFolder)))
            do {
                for folder in [workspace.workingFolder, workspace.home, workspace.temporary] {
                    try files.createDirectory(
                        atPath: folder.string, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
                }
                try files.createSymbolicLink(
                    atPath: workspace.root.appending("image").string, withDestinationPath: layoutFolder)
            } catch {
                workspace.remove()
                throw error
            }
            return workspace
        } catch {
            throw unusable(workFolder, String(describing: error))
        }
    }

    /// Removes the folder and all in it.
    func remove() {
        // The error may be lost: the scan's outcome stands, and the folder is in nobody's way but the disk's.
        try? FileManager.default.removeItem(atPath: root.string)
    }

    private static func makeUniqueFolder(in workFolder: String) throws -> String {
        var template = FilePath(workFolder).appending("scan-XXXXXX").string.utf8CString
        let made = template.withUnsafeMutableBufferPointer { buffer -> (path: String, errno: Int32)? in
            guard let base = buffer.baseAddress else { return nil }
            // Safety: `base` points at a NUL-ended buffer that is ours alone for the call; `mkdtemp` changes it in place.
            guard let path = mkdtemp(base) else { return ("", errno) }
            return (String(cString: path), 0)
        }
        guard let made, made.errno == 0 else { throw Errno(rawValue: made?.errno ?? ENOMEM) }
        return made.path
    }

    private static func unusable(_ folder: String, _ detail: String) -> ScanFailure {
        ScanFailure(
            .workFolderUnusable, message: "The scanner's folder for temporary files cannot be used.",
            remedy: "Make \(folder) writable for this user, with free space: mkdir -p \(folder)", retryable: true, detail: detail)
    }
}
