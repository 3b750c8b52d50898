import Foundation

/// What of a network or of its jobs is still on this machine.
enum Leftovers {
    /// Processes that were started with a path below the folder, or whose root or any mount comes from there.
    static func processes(of folder: String) -> [String] {
        processIDs.compactMap { id in
            let command = text("/proc/\(id)/cmdline").replacingOccurrences(of: "\0", with: " ")
            guard id != getpid() else { return nil }
            return command.contains(folder) || text("/proc/\(id)/mountinfo").contains(folder) ? "\(id) \(command)" : nil
        }
    }

    /// Mounts below the folder, in this mount namespace.
    static func mounts(of folder: String) -> [String] {
        text("/proc/self/mountinfo").split(separator: "\n").filter { $0.contains(folder) }.map(String.init)
    }

    /// Control groups with any of the words in their name.
    static func controlGroups(_ words: [String]) -> [String] {
        var found: [String] = []
        for root in ["/sys/fs/cgroup"] + children("/sys/fs/cgroup").map({ "/sys/fs/cgroup/" + $0 }) {
            for parent in children(root) where parent.hasPrefix("archipelago") {
                for name in children("\(root)/\(parent)") where words.contains(where: name.contains) { found.append("\(root)/\(parent)/\(name)") }
            }
        }
        return found
    }

    /// Processes of cages: those in a control group with the word in its name.
    static func caged(_ word: String) -> [Int32] { processIDs.filter { text("/proc/\($0)/cgroup").contains(word) } }

    /// Everything at once, for a network that has ended.
    static func all(of folder: String, jobs: [String]) -> [String] { processes(of: folder) + mounts(of: folder) + controlGroups(jobs) }

    static func text(_ path: String) -> String { (FileManager.default.contents(atPath: path)).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    private static func children(_ path: String) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }

    private static var processIDs: [Int32] { children("/proc").compactMap(Int32.init) }
}
