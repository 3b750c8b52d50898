import Foundation

/// Shows folders to the scanners' user: as they are where everybody may read them, else as a copy that everybody may.
///
/// Trivy keeps its databases in folders that only their owner may enter, and an update replaces them at any moment; a scanner is another
/// user. The copy is made again when the original has changed.
actor ReadableCopies {
    /// What can be wrong with a folder.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    /// What changes when a folder's content does.
    private struct Mark: Hashable {
        let name: String
        let inode: UInt64
        let bytes: Int64
        let changed: Date
    }

    private let folder: String
    private var copies: [String: (marks: Set<Mark>, path: String)] = [:]
    /// Copies that were replaced; a scan that runs may still read one.
    private var replaced: [String: [String]] = [:]
    private var number = 0

    /// Files of one folder. Chosen: databases have four, a program's folder a few dozen.
    private static let filesMax = 1000
    /// Bytes of one copy. Chosen: several times what Grype's database has on disk.
    private static let bytesMax: Int64 = 16 << 30
    /// Tries for a folder that changes while it is copied.
    private static let triesMax = 3

    /// Copies below `folder`, which is emptied.
    init(folder: String) throws {
        self.folder = folder
        let files = FileManager.default
        if files.fileExists(atPath: folder) { try files.removeItem(atPath: folder) }
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    }

    /// Where everybody may read what is in a folder.
    ///
    /// - Parameter wanted: says by a path inside the folder and its permission bits whether a copy has a file; what it leaves out stays closed.
    func readable(_ path: String, wanted: (_ name: String, _ mode: Int) -> Bool = { _, _ in true }) throws -> String {
        for _ in 0..<Self.triesMax {
            let (marks, isOpen) = try Self.look(at: path)
            if isOpen { return path }
            if let copy = copies[path], copy.marks == marks { return copy.path }
            let copy = "\(folder)/\(number)"
            number += 1
            let isSame: Bool
            do {
                try Self.copy(path, to: copy, wanted)
                isSame = try Self.look(at: path).marks == marks
            } catch {
                // What cannot be removed either is removed at the next start.
                try? FileManager.default.removeItem(atPath: copy)
                throw error
            }
            guard isSame else {
                try FileManager.default.removeItem(atPath: copy)
                continue
            }
            retire(path)
            copies[path] = (marks, copy)
            return copy
        }
        throw Refusal(description: "\(path) changes all the time.")
    }

    /// Keeps the copy before as well, for scans that still read it.
    private func retire(_ path: String) {
        guard let old = copies.removeValue(forKey: path) else { return }
        replaced[path, default: []].append(old.path)
        while let first = replaced[path]?.first, replaced[path, default: []].count > 1 {
            // What stays is removed at the next start.
            try? FileManager.default.removeItem(atPath: first)
            replaced[path]?.removeFirst()
        }
    }

    private static func look(at path: String) throws -> (marks: Set<Mark>, isOpen: Bool) {
        let files = FileManager.default
        var marks: Set<Mark> = []
        var isOpen = true
        var bytes: Int64 = 0
        guard let names = files.enumerator(atPath: path) else { throw Refusal(description: "\(path) cannot be read.") }
        for name in [""] + names.lazy.compactMap({ $0 as? String }) {
            let attributes = try files.attributesOfItem(atPath: name.isEmpty ? path : "\(path)/\(name)")
            let kind = attributes[.type] as? FileAttributeType
            let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
            let needed = kind == .typeDirectory ? 0o005 : 0o004
            if kind == .typeDirectory || kind == .typeRegular { isOpen = isOpen && mode & needed == needed }
            let size = (attributes[.size] as? NSNumber)?.int64Value ?? 0
            if kind == .typeRegular { bytes += size }
            marks.insert(
                Mark(
                    name: name, inode: (attributes[.systemFileNumber] as? NSNumber)?.uint64Value ?? 0, bytes: kind == .typeRegular ? size : 0,
                    changed: attributes[.modificationDate] as? Date ?? .distantPast))
            // A folder that is open is mounted as it is, however much is in it.
            guard isOpen || (marks.count <= filesMax && bytes <= bytesMax) else {
                throw Refusal(description: "\(path) is not open to every user (chmod -R a+rX \(path)), and too large to be copied.")
            }
            if isOpen, marks.count > filesMax { return (marks, true) }
        }
        return (marks, isOpen)
    }

    private static func copy(_ path: String, to copy: String, _ wanted: (String, Int) -> Bool) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: copy, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        guard let names = files.enumerator(atPath: path) else { throw Refusal(description: "\(path) cannot be read.") }
        for case let name as String in names {
            switch names.fileAttributes?[.type] as? FileAttributeType {
            case .typeDirectory?:
                try files.createDirectory(atPath: "\(copy)/\(name)", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
            case .typeRegular?:
                let mode = (names.fileAttributes?[.posixPermissions] as? NSNumber)?.intValue ?? 0
                guard wanted(name, mode) else { continue }
                try files.copyItem(atPath: "\(path)/\(name)", toPath: "\(copy)/\(name)")
                try files.setAttributes([.posixPermissions: mode & 0o100 == 0 ? 0o444 : 0o555], ofItemAtPath: "\(copy)/\(name)")
            default: continue
            }
        }
    }
}
