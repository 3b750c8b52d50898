@testable import Sandbox

/// A second implementation of the little of classic BPF that filters use, after the kernel's documentation.
/// Source: Linux, Documentation/networking/filter.rst.
func verdict(of program: [BPFInstruction], number: UInt32, architecture: UInt32) -> UInt32? {
    var accumulator: UInt32 = 0
    var counter = 0
    while program.indices.contains(counter) {
        let instruction = program[counter]
        counter += 1
        switch instruction.code {
        case 0x20:  // ld [k]
            switch instruction.operand {
            case 0: accumulator = number
            case 4: accumulator = architecture
            default: return nil
            }
        case 0x15: counter += Int(accumulator == instruction.operand ? instruction.jumpIfTrue : instruction.jumpIfFalse)
        case 0x35: counter += Int(accumulator >= instruction.operand ? instruction.jumpIfTrue : instruction.jumpIfFalse)
        case 0x06: return instruction.operand
        default: return nil
        }
    }
    return nil
}
