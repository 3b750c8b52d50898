import Domain

extension RuntimeSpecification.Seccomp {
    /// The outer filter: ``DefaultCalls``, at level 3 ``NetworkCalls`` too, everything else EPERM.
    ///
    /// For `minimal` it is the filter that the runtime itself lives under, and ``MinimalCalls`` stands inside it.
    ///
    /// - Parameters:
    ///   - killAction: what a call does that is killed for.
    ///   - namesErrors: whether the runtime answers a refused call as it is told to; else the filter inside answers `clone3`.
    static func outer(
        _ profile: SeccompProfile, for architecture: Architecture, killAction: String = "SCMP_ACT_KILL_PROCESS",
        namesErrors: Bool = true
    ) -> RuntimeSpecification.Seccomp {
        let outer = OuterCalls(profile)
        let allow = "SCMP_ACT_ALLOW"
        let refuse = "SCMP_ACT_ERRNO"
        var rules = [
            Rule(names: outer.allowed.map(\.name), action: allow),
            Rule(
                names: ["clone"], action: allow,
                args: [Argument(index: 0, value: DefaultCalls.namespaceFlags, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ")]),
            namesErrors
                ? Rule(names: ["clone3"], action: refuse, errnoRet: DefaultCalls.noSuchCall) : Rule(names: ["clone3"], action: allow),
            Rule(
                names: ["ioctl"], action: allow,
                args: [Argument(index: 1, value: DefaultCalls.terminalInjection, op: "SCMP_CMP_NE")]),
        ]
        rules += outer.addressFamilies.map { family in
            Rule(names: ["socket"], action: allow, args: [Argument(index: 0, value: family.rawValue, op: "SCMP_CMP_EQ")])
        }
        rules += [
            Rule(names: DefaultCalls.killed.map(\.name), action: killAction),
            Rule(names: [DefaultCalls.highestNamedCall], action: refuse, errnoRet: DefaultCalls.permissionDenied),
        ]
        return RuntimeSpecification.Seccomp(
            defaultAction: refuse, defaultErrnoRet: DefaultCalls.permissionDenied, architectures: [architecture.seccompName],
            syscalls: rules)
    }
}
