import Foundation
import Glibc
import Testing

@testable import Sandbox

/// What jobs of a runc sandbox have on the host while they run, and could leave there: bundles, states of the runtime, control groups, mounts.
struct RuncTraces {
    let configuration: RuncConfiguration
    /// Holds everything of one test.
    let folder: String

    /// The folders of a job's control group in every controller; of the parent's for an empty name.
    func groupFolders(_ id: String) -> [String] {
        ((try? ControlGroups.ofHost().mountPoints) ?? []).map { "\($0)/\(configuration.cgroupParent)/\(id)" }.filter { access($0, F_OK) == 0 }
    }

    /// The host's number of the first process of a job.
    func process(of job: CagedJob) throws -> pid_t {
        let folder = try #require(groupFolders(job.id.text).first { $0.contains("/pids/") } ?? groupFolders(job.id.text).first)
        let text = try String(contentsOfFile: "\(folder)/cgroup.procs", encoding: .utf8)
        return try #require(text.split(separator: "\n").first.flatMap { pid_t($0) })
    }

    func expectNone(sourceLocation: SourceLocation) throws {
        let files = FileManager.default
        #expect(try files.contentsOfDirectory(atPath: configuration.bundlesFolder).isEmpty, sourceLocation: sourceLocation)
        #expect(try files.contentsOfDirectory(atPath: configuration.runtimeFolder).isEmpty, sourceLocation: sourceLocation)
        for parent in groupFolders("") {
            let below = try files.contentsOfDirectory(atPath: parent).filter { $0.hasPrefix("job-") || $0.hasPrefix("trial-") }
            #expect(below.isEmpty, sourceLocation: sourceLocation)
        }
        let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
        #expect(!mounts.contains(folder), sourceLocation: sourceLocation)
    }
}
