import Domain
import Testing

@testable import Sandbox

@Suite struct SeccompTests {
    /// x86-64 numbers of the 14 and the 32, written down from the kernel's table by hand, not from our tables.
    static let allowedX86: Set<UInt32> = [158, 12, 3, 59, 60, 231, 318, 9, 10, 11, 0, 89, 15, 1]
    static let refusedX86: Set<UInt32> = [
        21, 229, 228, 72, 5, 108, 107, 104, 39, 97, 186, 102, 16, 8, 28, 262, 2, 257, 157, 302, 267, 334, 13, 14, 204, 40, 273, 218, 106, 105,
        99, 63,
    ]
    /// arm64 numbers; the calls that it does not have are left out.
    static let allowedARM: Set<UInt32> = [214, 57, 221, 93, 94, 278, 222, 226, 215, 63, 139, 64]
    static let refusedARM: Set<UInt32> = [
        114, 113, 25, 80, 177, 175, 176, 172, 163, 178, 174, 29, 62, 233, 79, 56, 167, 261, 78, 293, 134, 135, 123, 71, 99, 96, 144, 146, 179,
        160,
    ]

    @Test(arguments: Architecture.allCases)
    func everyCallGetsTheVerdictOfTheTable(architecture: Architecture) {
        let program = MinimalCalls.filter(for: architecture)
        let allowed = architecture == .x86_64 ? Self.allowedX86 : Self.allowedARM
        let refused = architecture == .x86_64 ? Self.refusedX86 : Self.refusedARM
        for number in UInt32(0)...500 {
            let expected: UInt32 = allowed.contains(number) ? 0x7FFF_0000 : refused.contains(number) ? 0x0005_0001 : 0x8000_0000
            #expect(verdict(of: program, number: number, architecture: architecture.auditValue) == expected, "call \(number)")
        }
        #expect(verdict(of: program, number: .max, architecture: architecture.auditValue) == 0x8000_0000)
    }

    @Test(arguments: Architecture.allCases)
    func callsOfAnotherArchitectureKill(architecture: Architecture) {
        let program = MinimalCalls.filter(for: architecture)
        // i386, arm, riscv64, and the other one of ours.
        for other in [0x4000_0003, 0x4000_0028, 0xC000_00F3] + Architecture.allCases.filter({ $0 != architecture }).map(\.auditValue) {
            for number in UInt32(0)...500 {
                #expect(verdict(of: program, number: number, architecture: other) == 0x8000_0000)
            }
        }
    }

    @Test func callsWith32BitPointersKill() {
        let program = MinimalCalls.filter(for: .x86_64)
        for number in UInt32(0)...600 {
            #expect(verdict(of: program, number: number | 0x4000_0000, architecture: 0xC000_003E) == 0x8000_0000)
        }
    }

    @Test(arguments: [([Int](), [Int]()), ([1], []), ([], [1]), (Array(0..<125), Array(125..<250))])
    func programsOfAnySizeAreRight(allowed: [Int], refused: [Int]) {
        let program = BPFAssembler.program(architecture: .x86_64, allowed: allowed, refused: refused)
        #expect(program.count <= BPFAssembler.callsMax + 9)
        for number in 0...400 {
            let expected: UInt32 = allowed.contains(number) ? 0x7FFF_0000 : refused.contains(number) ? 0x0005_0001 : 0x8000_0000
            #expect(verdict(of: program, number: UInt32(number), architecture: 0xC000_003E) == expected)
        }
    }

    @Test func anInstructionIsEightLittleEndianBytes() {
        // struct sock_filter of `ld [4]` on a little-endian machine.
        #expect(MinimalCalls.filter(for: .x86_64)[0].bytes == [0x20, 0, 0, 0, 4, 0, 0, 0])
    }

    @Test func theTablesHaveThePromisedSizesAndNoCallTwice() {
        #expect(MinimalCalls.allowed.count == 14)
        #expect(MinimalCalls.refused.count == 32)
        #expect(DefaultCalls.allowed.count == 146)
        #expect(DefaultCalls.killed.count == 35)
        let minimal = (MinimalCalls.allowed + MinimalCalls.refused).map(\.name)
        let outer = (DefaultCalls.allowed + DefaultCalls.killed).map(\.name)
        #expect(Set(minimal).count == minimal.count)
        #expect(Set(outer).count == outer.count)
        for rule in MinimalCalls.allowed + MinimalCalls.refused + DefaultCalls.allowed + DefaultCalls.killed {
            #expect(SystemCallNumbers.number(of: rule.name, on: .x86_64) != nil, "\(rule.name)")
            #expect(!rule.reason.isEmpty)
        }
    }

    /// What x86-64 has two names for must work under the only one that arm64 has.
    @Test(arguments: [
        ("link", "linkat"), ("symlink", "symlinkat"), ("getpgrp", "getpgid"), ("open", "openat"), ("mkdir", "mkdirat"), ("unlink", "unlinkat"),
        ("rename", "renameat"), ("readlink", "readlinkat"), ("chmod", "fchmodat"), ("access", "faccessat"), ("stat", "newfstatat"),
        ("poll", "ppoll"), ("select", "pselect6"), ("epoll_wait", "epoll_pwait"), ("pipe", "pipe2"), ("dup2", "dup3"), ("fork", "clone"),
    ])
    func olderAndNewerNamesAreAllowedAlike(older: String, newer: String) {
        #expect(SystemCallNumbers.number(of: older, on: .arm64) == nil || older == "access")
        for name in [older, newer] {
            let verdict = CallTable.verdict(of: name, under: .default)
            #expect(verdict == .allowed || verdict == .allowedIf("processes and threads"), "\(name): \(verdict)")
        }
    }

    @Test(arguments: [("read", 0, 63), ("execve", 59, 221), ("socket", 41, 198), ("futex_waitv", 449, 449), ("getrandom", 318, 278)])
    func numbersAreTheKernels(name: String, x86: Int, arm: Int) {
        #expect(SystemCallNumbers.number(of: name, on: .x86_64) == x86)
        #expect(SystemCallNumbers.number(of: name, on: .arm64) == arm)
        #expect(SystemCallNumbers.name(of: x86, on: .x86_64) == name)
        #expect(SystemCallNumbers.name(of: arm, on: .arm64) == name)
    }
}
