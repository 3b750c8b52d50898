import FoundationEssentials

/// What a crashed Island has left behind. Blocks.
struct Leftovers: Sendable {
    let configuration: RuncConfiguration
    let groups: ControlGroups

    /// Removes every container, control group and bundle that the state folder knows, but for some.
    func remove(except active: Set<String>) {
        let runtime = RuntimeCommand(configuration: configuration)
        // A folder that cannot be listed holds nothing that could be removed.
        let bundles = (try? FileManager.default.contentsOfDirectory(atPath: configuration.bundlesFolder)) ?? []
        let containers = (try? FileManager.default.contentsOfDirectory(atPath: configuration.runtimeFolder)) ?? []
        for id in Set(bundles + containers).subtracting(active).sorted() {
            // Only names of ours: a strange file is not a container, and must not become an argument.
            guard (try? ContainerID(id)) != nil else { continue }
            CageNetwork.endLeftover(of: "\(configuration.bundlesFolder)/\(id)")
            let isDeleted = (try? runtime.delete(id)) != nil
            let isGone = groups.remove("/\(configuration.cgroupParent)/\(id)")
            guard isGone else { continue }
            if !isDeleted { removeFolder("\(configuration.runtimeFolder)/\(id)") }
            removeFolder("\(configuration.bundlesFolder)/\(id)")
        }
    }

    private func removeFolder(_ path: String) {
        // One that is not there is removed; one that cannot be is tried again at the next start.
        try? FileManager.default.removeItem(atPath: path)
    }
}
