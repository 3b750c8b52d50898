/// What an engine says about a container, as far as it is looked at.
///
/// Source: Docker Engine API 1.41, "ContainerInspect".
struct ContainerFacts: Decodable, Sendable, Hashable {
    var State: StateFacts
    var Config: ConfigFacts
    var HostConfig: HostFacts

    struct StateFacts: Decodable, Sendable, Hashable {
        var Running: Bool
        var OOMKilled: Bool?
        var Pid: Int
        var ExitCode: Int
        var Error: String?
    }

    struct ConfigFacts: Decodable, Sendable, Hashable {
        var User: String?
        var Labels: [String: String]?
    }

    struct HostFacts: Decodable, Sendable, Hashable {
        var Memory: Int?
        var MemorySwap: Int?
        var NanoCpus: Int?
        var PidsLimit: Int?
        var NetworkMode: String?
        var IpcMode: String?
        var PidMode: String?
        var UTSMode: String?
        var UsernsMode: String?
        var ReadonlyRootfs: Bool?
        var Privileged: Bool?
        var OomKillDisable: Bool?
        var Tmpfs: [String: String]?
        var Binds: [String]?
        var ShmSize: Int?
        var CapAdd: [String]?
        var CapDrop: [String]?
        var SecurityOpt: [String]?
        var Ulimits: [ContainerRequest.Limit]?
        var LogConfig: LogFacts?
        var MaskedPaths: [String]?
        var ReadonlyPaths: [String]?
    }

    struct LogFacts: Decodable, Sendable, Hashable {
        var type: String?
        enum CodingKeys: String, CodingKey { case type = "Type" }
    }

    /// Source and destination of a bind mount, without its options: an engine adds its own.
    private static func places(_ bind: String) -> String { bind.split(separator: ":").prefix(2).joined(separator: ":") }

    /// Every limit that was asked for and is not what the engine has noted, in words; empty if all of them stuck. Left out: what is no
    /// limit (names, `OomScoreAdj`, the restart policy), and the capabilities' names, which engines write as they like.
    ///
    /// An engine that does not know a value drops it without a word, so what it tells is compared, not its status code.
    func problems(against wanted: ContainerRequest, kind: Engine.Kind) -> [String] {
        let host = wanted.HostConfig
        var problems: [String] = []
        func need(_ name: String, _ holds: Bool) {
            if !holds { problems.append(name) }
        }
        need("memory", HostConfig.Memory == host.Memory)
        need("swap", HostConfig.MemorySwap == host.MemorySwap)
        need("cpus", HostConfig.NanoCpus == host.NanoCpus)
        need("pids", HostConfig.PidsLimit == host.PidsLimit)
        need("network", HostConfig.NetworkMode == host.NetworkMode)
        need("read-only root", HostConfig.ReadonlyRootfs == true)
        need("privileges", HostConfig.Privileged != true && (HostConfig.CapAdd ?? []).isEmpty && !(HostConfig.CapDrop ?? []).isEmpty)
        need("out-of-memory kill", HostConfig.OomKillDisable != true)
        need("user", Config.User == wanted.User)
        need("label", Config.Labels?[Engine.ownerLabel] == wanted.Labels[Engine.ownerLabel])
        need("log", HostConfig.LogConfig?.type == wanted.HostConfig.LogConfig.type)
        need("shared memory", HostConfig.ShmSize == host.ShmSize)
        for mode in [HostConfig.IpcMode, HostConfig.PidMode, HostConfig.UTSMode, HostConfig.UsernsMode] {
            need("namespaces", mode != "host" && mode?.hasPrefix("container:") != true)
        }
        need("user namespace", host.UsernsMode.isEmpty || HostConfig.UsernsMode == host.UsernsMode)
        need("mounts", Set((HostConfig.Binds ?? []).map(Self.places)) == Set(host.Binds.map(Self.places)))
        need("security options", Set(host.SecurityOpt).subtracting(ContainerRequest.keptOptions(HostConfig.SecurityOpt, kind)).isEmpty)
        for (folder, options) in host.Tmpfs {
            let kept = Set((HostConfig.Tmpfs?[folder] ?? "").split(separator: ","))
            need("tmpfs \(folder)", Set(options.split(separator: ",")).isSubset(of: kept))
        }
        let limits = Set((HostConfig.Ulimits ?? []).map(\.plain))
        for limit in host.Ulimits { need("ulimit \(limit.Name)", limits.contains(limit)) }
        if kind == .docker {
            need("masked paths", Set(HostConfig.MaskedPaths ?? []) == Set(host.MaskedPaths ?? []))
            need("read-only paths", Set(HostConfig.ReadonlyPaths ?? []) == Set(host.ReadonlyPaths ?? []))
        }
        return problems
    }
}

extension ContainerRequest {
    /// The security options that an engine tells again. Podman keeps what it masks to itself; the trials look at that.
    fileprivate static func keptOptions(_ told: [String]?, _ kind: Engine.Kind) -> [String] {
        switch kind {
        case .docker: told ?? []
        case .podman: (told ?? []) + ["mask=\(maskedPaths.joined(separator: ":"))"]
        }
    }
}

extension ContainerRequest.Limit {
    /// The limit under the name that was asked for: Podman answers `RLIMIT_NOFILE` to `nofile`.
    fileprivate var plain: ContainerRequest.Limit {
        let name = Name.lowercased()
        return ContainerRequest.Limit(Name: name.hasPrefix("rlimit_") ? String(name.dropFirst(7)) : name, Soft: Soft, Hard: Hard)
    }
}

/// What an engine says about the machine that it runs containers on. Source: Docker Engine API 1.41, "SystemInfo".
struct MachineFacts: Decodable, Sendable, Hashable {
    var NCPU: Int
    var MemoryLimit: Bool?
    var SwapLimit: Bool?
    var PidsLimit: Bool?
    var CpuCfsQuota: Bool?
}
