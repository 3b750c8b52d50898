internal import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Finds a scanner's program in a list of folders.
///
/// The environment is not read here: the executable that wires the parts together hands the folders in.
public enum ScannerLookup {
    /// Returns the folders of a `PATH` value, in order.
    ///
    /// Empty and relative entries are left out: they mean the current folder, where a submission could put a program.
    ///
    /// - Parameter path: folders parted by `:`, as in the environment variable `PATH`.
    public static func folders(ofPath path: String) -> [String] {
        path.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
    }

    /// Returns the absolute path of the first folder's program of that name.
    ///
    /// Asks the file system about one file per folder; meant for the start of the process.
    ///
    /// - Parameters:
    ///   - name: the program's file name, without a `/`.
    ///   - folders: absolute folders in the order of search; relative ones are passed over.
    /// - Returns: an absolute path of a regular file that this process may execute, or `nil`.
    public static func find(_ name: String, in folders: [String]) -> String? {
        guard !name.isEmpty, name != ".", name != "..", !name.contains("/"), !name.contains("\0") else { return nil }
        for folder in folders where folder.hasPrefix("/") {
            let path = FilePath(folder).appending(name).string
            if isProgram(path) { return path }
        }
        return nil
    }

    /// Whether a path names a regular file (or a link to one) that this process may execute.
    static func isProgram(_ path: String) -> Bool {
        guard path.hasPrefix("/"), !path.contains("\0") else { return false }
        guard FileSize.ofRegularFile(FilePath(path)) != nil else { return false }
        // Safety: the path is a C string for the call only.
        return access(path, X_OK) == 0
    }
}
