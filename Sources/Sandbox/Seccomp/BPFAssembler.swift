/// One instruction of classic BPF, in the layout of the kernel's `struct sock_filter`.
public struct BPFInstruction: Sendable, Hashable {
    /// What to do.
    public let code: UInt16
    /// How many instructions to skip if the comparison holds.
    public let jumpIfTrue: UInt8
    /// How many instructions to skip if it does not hold.
    public let jumpIfFalse: UInt8
    /// The constant, offset or verdict.
    public let operand: UInt32

    /// The instruction in memory: shape `[8]`, little-endian fields in the order of the properties.
    public var bytes: [UInt8] {
        var result: [UInt8] = []
        withUnsafeBytes(of: code.littleEndian) { result.append(contentsOf: $0) }
        result.append(jumpIfTrue)
        result.append(jumpIfFalse)
        withUnsafeBytes(of: operand.littleEndian) { result.append(contentsOf: $0) }
        return result
    }
}

/// Makes seccomp filters.
///
/// Source: Linux, Documentation/userspace-api/seccomp_filter.rst, and include/uapi/linux/{bpf_common,seccomp}.h for the values.
public enum BPFAssembler {
    /// What the kernel does with a call, as `SECCOMP_RET_…`.
    public enum Verdict {
        /// Ends the whole process with SIGSYS.
        public static let killProcess: UInt32 = 0x8000_0000
        /// Answers EPERM, which is 1.
        public static let permissionDenied: UInt32 = 0x0005_0001
        /// Answers ENOSYS, which is 38.
        public static let noSuchCall: UInt32 = 0x0005_0026
        /// Hands the call to whoever listens.
        public static let handOver: UInt32 = 0x7FC0_0000
        /// Lets the call through.
        public static let allow: UInt32 = 0x7FFF_0000
    }

    private enum Code {
        /// `BPF_LD | BPF_W | BPF_ABS`: loads a word of `struct seccomp_data`.
        static let load: UInt16 = 0x20
        /// `BPF_JMP | BPF_JEQ | BPF_K`.
        static let jumpIfEqual: UInt16 = 0x15
        /// `BPF_JMP | BPF_JGE | BPF_K`.
        static let jumpIfAtLeast: UInt16 = 0x35
        /// `BPF_RET | BPF_K`.
        static let answer: UInt16 = 0x06
    }

    /// Offsets in `struct seccomp_data`, in bytes.
    private enum Offset {
        static let number: UInt32 = 0
        static let architecture: UInt32 = 4
    }

    /// Bit of a call's number that says "32-bit pointers on x86-64" (x32). Source: arch/x86/include/uapi/asm/unistd.h.
    private static let x32Bit: UInt32 = 0x4000_0000

    /// Most calls in one filter: a jump reaches 255 instructions, and three answers stand at the end.
    public static let callsMax = 250

    /// The filter that forbids nothing: what stands inside the outer filter where that alone decides.
    static let permissive = [BPFInstruction(code: Code.answer, jumpIfTrue: 0, jumpIfFalse: 0, operand: Verdict.allow)]

    /// Returns a filter that allows some calls, refuses others with an error and does one thing to every other one.
    ///
    /// Calls of another architecture, and x32 calls, kill too: their numbers mean something else.
    ///
    /// - Parameters:
    ///   - architecture: the one whose numbers are given.
    ///   - allowed: numbers of calls, in any order.
    ///   - refused: numbers of calls, none of which is in `allowed`.
    ///   - others: the verdict on every other call, one of ``Verdict``.
    ///   - refusal: the verdict on those refused.
    /// - Returns: the program, at most `callsMax + 8` instructions.
    public static func program(
        architecture: Architecture, allowed: [Int], refused: [Int], others: UInt32 = Verdict.killProcess, refusal: UInt32 = Verdict.permissionDenied
    ) -> [BPFInstruction] {
        precondition(allowed.count + refused.count <= callsMax, "more calls than one jump can pass")
        precondition(Set(allowed).isDisjoint(with: refused), "a call is allowed and refused")
        var program = [
            load(Offset.architecture),
            jumpIfEqual(architecture.auditValue, then: 1, otherwise: 0),
            answer(Verdict.killProcess),
            load(Offset.number),
        ]
        if architecture == .x86_64 {
            program.append(BPFInstruction(code: Code.jumpIfAtLeast, jumpIfTrue: 0, jumpIfFalse: 1, operand: x32Bit))
            program.append(answer(Verdict.killProcess))
        }
        // After the comparisons stand: the verdict on others, allow, refuse. A match jumps over the comparisons that follow it.
        let calls = allowed.sorted().map { (number: $0, skip: 1) } + refused.sorted().map { (number: $0, skip: 2) }
        for (index, call) in calls.enumerated() {
            let following = calls.count - index - 1
            program.append(jumpIfEqual(UInt32(call.number), then: UInt8(following + call.skip), otherwise: 0))
        }
        program += [answer(others), answer(Verdict.allow), answer(refusal)]
        return program
    }

    /// The filter that forbids nothing but answers `clone3` as a kernel does that has no such call.
    static func withoutClone3(for architecture: Architecture) -> [BPFInstruction] {
        program(
            architecture: architecture, allowed: [],
            refused: ["clone3"].compactMap { SystemCallNumbers.number(of: $0, on: architecture) }, others: Verdict.allow,
            refusal: Verdict.noSuchCall)
    }

    private static func load(_ offset: UInt32) -> BPFInstruction {
        BPFInstruction(code: Code.load, jumpIfTrue: 0, jumpIfFalse: 0, operand: offset)
    }

    private static func jumpIfEqual(_ value: UInt32, then: UInt8, otherwise: UInt8) -> BPFInstruction {
        BPFInstruction(code: Code.jumpIfEqual, jumpIfTrue: then, jumpIfFalse: otherwise, operand: value)
    }

    private static func answer(_ verdict: UInt32) -> BPFInstruction {
        BPFInstruction(code: Code.answer, jumpIfTrue: 0, jumpIfFalse: 0, operand: verdict)
    }
}
