import Glibc
import SandboxKernel

/// Layers of an image shown as one folder, by the kernel's overlay file system.
///
/// Folders are given relative to one folder that holds them all, so that as many as an image may have fit into the page that the kernel
/// takes. Their names hold no `:`, `,` or `\\`. Source: Linux, Documentation/filesystems/overlayfs.rst.
public enum OverlayMounts {
    /// What takes a change: the kernel writes what differs from the layers below into `changes`, and needs an empty folder beside.
    public struct Writable: Sendable {
        /// Takes the changes.
        public var changes: String
        /// The kernel's own, on the same file system.
        public var work: String
        /// Where all is seen as one.
        public var merged: String

        /// Three folders, relative to the one that holds all.
        public init(changes: String, work: String, merged: String) {
            self.changes = changes
            self.work = work
            self.merged = merged
        }
    }

    /// Nothing that is not wanted: what lies in a layer's folder is then all of the layer.
    private static let options = "redirect_dir=off,metacopy=off,index=off"

    /// Shows layers as one folder that can be written to, to one piece of work and to nobody else: the mount is seen by the work's own thread
    /// alone, and is gone after it, whatever way this process ends.
    ///
    /// - Parameters:
    ///   - layers: lowest first; without any, the body gets the folder of changes itself.
    ///   - body: gets the path of the merged folder. Blocks.
    /// - Throws: ``SandboxError`` `system_call`, also where the kernel or the file system cannot do it; what the body throws.
    public static func withMerged<Value: Sendable>(
        of layers: [String], _ writable: Writable, in folder: String, _ body: @escaping @Sendable (_ path: String) throws -> Value
    ) async throws -> Value {
        try await BlockingThread.value {
            if layers.isEmpty { return try body("\(folder)/\(writable.changes)") }
            try checked("unshare") { kernel_set_thread_apart(1) }
            try checked("chdir", folder) { kernel_enter_folder(folder) }
            let path = "\(folder)/\(writable.merged)"
            let options = "lowerdir=\(lower(layers)),upperdir=\(writable.changes),workdir=\(writable.work),\(Self.options)"
            try checked("mount", path) { kernel_mount_overlay(options, path, 0) }
            let result = Result { try body(path) }
            try checked("umount", path) { kernel_unmount(path) }
            return try result.get()
        }
    }

    /// Shows layers as one folder that nobody can write to, to the whole host, until it is unmounted.
    ///
    /// - Parameter layers: lowest first, at least two.
    public static func mount(_ layers: [String], in folder: String, at path: String) async throws {
        try await BlockingThread.value {
            try checked("unshare") { kernel_set_thread_apart(0) }
            try checked("chdir", folder) { kernel_enter_folder(folder) }
            try checked("mount", path) { kernel_mount_overlay("lowerdir=\(lower(layers))", path, 1) }
        }
    }

    /// Takes a mount away; containers that run in it keep it until they end.
    public static func unmount(_ path: String) throws { try checked("umount", path) { kernel_unmount(path) } }

    /// Mount points below a folder.
    public static func mountPoints(below folder: String) throws -> [String] {
        try SmallFiles.read("/proc/self/mountinfo").split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 4, fields[4].hasPrefix(folder + "/") else { return nil }
            return String(fields[4])
        }
    }

    /// The kernel has the highest first.
    private static func lower(_ layers: [String]) -> String { layers.reversed().joined(separator: ":") }
}
