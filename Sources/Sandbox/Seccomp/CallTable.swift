public import Domain

/// Every system call that a table of this folder names, and what each profile does with it.
///
/// A call that no table names is refused at every profile but ``SeccompProfile/minimal``, where it kills.
public enum CallTable {
    /// What a profile does with a call, by the kernel's name of it.
    public static func verdict(of name: String, under profile: SeccompProfile) -> CallVerdict {
        guard profile != .minimal else { return minimal[name]?.verdict ?? .kills }
        return wide(profile)[name]?.verdict ?? .refused
    }

    /// Every named call, sorted by its number on x86-64.
    public static let calls: [String] = {
        let names = SeccompProfile.allCases.reduce(into: Set(minimal.keys)) { names, profile in names.formUnion(wide(profile).keys) }
        return names.sorted { number($0) < number($1) }
    }()

    /// Why the call is treated as it is, with the profile's name before each reason where they differ.
    public static func reason(for name: String) -> String {
        let (strict, wide) = (minimal[name]?.reason, wide(.gpu)[name]?.reason)
        guard let strict, let wide, strict != wide else { return strict ?? wide ?? "" }
        return "level 0: \(strict); others: \(wide)"
    }

    /// Numbers on x86-64 that newer kernels (`uretprobe` from 6.14, `uprobe` from 6.18) pass by every filter, so that they can trace programs
    /// that live under one. They do nothing but where the kernel itself has put them into a program; elsewhere they end it with SIGILL or say
    /// that there is no such place.
    /// Source: Linux, kernel/seccomp.c and arch/x86/kernel/uprobes.c.
    static let unfiltered = [335: "uretprobe", 336: "uprobe"]

    private static func number(_ name: String) -> Int { SystemCallNumbers.number(of: name, on: .x86_64) ?? .max }

    private struct Entry {
        let verdict: CallVerdict
        let reason: String
    }

    private static let minimal = entries(MinimalCalls.allowed, .allowed).merging(entries(MinimalCalls.refused, .refused)) { $1 }

    private static func entries(_ rules: [CallRule], _ verdict: CallVerdict) -> [String: Entry] {
        Dictionary(rules.map { ($0.name, Entry(verdict: verdict, reason: $0.reason)) }) { $1 }
    }

    /// The tables of the profiles that are made of ``DefaultCalls``.
    private static let wideTables: [SeccompProfile: [String: Entry]] = Dictionary(
        uniqueKeysWithValues: SeccompProfile.allCases.map { profile in
            let outer = OuterCalls(profile)
            var table = entries(outer.allowed, .allowed).merging(entries(DefaultCalls.killed, .kills)) { $1 }
            table["clone"] = Entry(verdict: .allowedIf("processes and threads"), reason: "makes them, counted by the cgroup; no namespaces")
            table["clone3"] = Entry(verdict: .noSuchCall, reason: "its flags lie in memory, where no filter sees them; libraries then use clone")
            table["ioctl"] = Entry(verdict: .allowedIf("all but TIOCSTI"), reason: "asks what a descriptor is; puts nothing into a terminal's input")
            table["socket"] = Entry(
                verdict: .allowedIf(outer.addressFamilies.map(\.name).joined(separator: ", ")),
                reason: "none that leaves a network namespace, such as vsock, or sees raw packets")
            return (profile, table)
        })

    private static func wide(_ profile: SeccompProfile) -> [String: Entry] { wideTables[profile] ?? [:] }
}
