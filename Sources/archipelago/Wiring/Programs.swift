import Foundation
import Scanning

/// Finds the other programs that this one starts.
enum Programs {
    /// The absolute path of a program on PATH, in the system's own folders, or in the project's tools folder; `nil` when
    /// there is none.
    static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return ScannerLookup.find(name, in: ScannerLookup.folders(ofPath: path) + ["/usr/sbin", "/usr/bin", "/usr/local/bin"] + toolFolders)
    }

    /// A program that is installed in the same folder as this one.
    static func besideThisOne(_ name: String) -> String { folder + "/" + name }

    /// The folder of the running executable.
    private static var folder: String {
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    /// `.tools/bin` of a checkout, when the executable lies in its build folder.
    private static var toolFolders: [String] {
        var folders: [String] = []
        var url = URL(fileURLWithPath: folder)
        while url.path != "/" {
            if url.lastPathComponent == ".build" { folders.append(url.deletingLastPathComponent().path + "/.tools/bin") }
            url.deleteLastPathComponent()
        }
        return folders
    }

    /// The folder of Trivy's databases: what the environment names, else Trivy's own default for this user.
    static func trivyCache(_ environment: [String: String]) -> String {
        if let folder = environment["ARCHIPELAGO_TRIVY_CACHE"], !folder.isEmpty { return URL(fileURLWithPath: folder).path }
        if let folder = environment["XDG_CACHE_HOME"], !folder.isEmpty { return folder + "/trivy" }
        return (environment["HOME"] ?? "/root") + "/.cache/trivy"
    }

    /// The folder of Grype's databases: what the environment names, else Grype's own default for this user.
    static func grypeDatabase(_ environment: [String: String]) -> String {
        if let folder = environment["ARCHIPELAGO_GRYPE_DATABASE"], !folder.isEmpty { return URL(fileURLWithPath: folder).path }
        if let folder = environment["XDG_CACHE_HOME"], !folder.isEmpty { return folder + "/grype/db" }
        return (environment["HOME"] ?? "/root") + "/.cache/grype/db"
    }
}
