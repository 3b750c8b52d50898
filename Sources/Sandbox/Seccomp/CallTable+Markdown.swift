import Domain

extension CallTable {
    /// The whole table as a document; `docs/SYSTEM_CALLS.md` is this text.
    public static var markdown: String {
        let head = """
            # System calls

            Made by `archipelago levels --system-calls` from `Sources/Sandbox/Seccomp`; a test compares the two, and another makes every call that the
            kernel has, in a cage of each profile, and compares what happens.

            Level 0 has the profile `minimal`: its Cargo lives under two filters, this one and that of level 1, and the stricter answer wins. Levels 1 and 2
            have `default`, level 3 has `network` or, where a Cargo has a GPU, `gpu`. A call that is not in the table **kills** at level 0 and gets **EPERM**
            elsewhere (**ENOSYS** above \(DefaultCalls.highestNamedCall), which is the newest call that the filter's maker knows). Calls of another
            architecture kill everywhere. Two numbers of x86-64, \(unfiltered.keys.sorted().map { "\(unfiltered[$0] ?? "") (\($0))" }.joined(separator: " and ")), are passed by every
            filter on kernels from 6.14 and 6.18 on; they do nothing but where the kernel itself has put them into a program.

            | call | x86-64 | arm64 | minimal | default | network | gpu | why |
            |---|---|---|---|---|---|---|---|

            """
        return head + calls.map(row).joined(separator: "\n") + "\n"
    }

    private static func row(_ name: String) -> String {
        let numbers = [Architecture.x86_64, .arm64].map { SystemCallNumbers.number(of: name, on: $0).map(String.init) ?? "–" }
        let verdicts = [SeccompProfile.minimal, .default, .network, .gpu].map { verdict(of: name, under: $0).text }
        return "| `\(name)` | " + (numbers + verdicts + [reason(for: name)]).joined(separator: " | ") + " |"
    }
}
