/// The sections that fill: elements, code, data, and the constant expressions in them.
extension WasmReader {
    /// Flags: 1 passive or declared, 2 a table or, with 1, declared; 4 expressions instead of indices.
    mutating func elements(_ content: inout WasmCursor) throws(ScanFailure) {
        let segments = try content.count("element segments", max: limits.segmentsMax)
        change { $0.elementSegments = segments }
        for _ in 0..<segments {
            let start = content.offset
            let flags = try content.u32("an element segment's flags")
            guard flags <= 7 else { throw content.expected("an element segment's flags in 0...7, not \(flags)", at: start) }
            let isActive = flags & 1 == 0
            if isActive {
                if flags & 2 != 0 {
                    _ = try content.index(of: "table", below: module.tables)
                } else if module.tables == 0 {
                    throw content.expected("a table for an element segment", at: start)
                }
                try constantExpression(&content)
            }
            if flags & 3 != 0 {
                if flags & 4 != 0 {
                    try WasmType.reference(&content)
                } else {
                    let place = content.offset
                    guard try content.byte("an element's kind") == 0 else { throw content.expected("an element's kind of 0", at: place) }
                }
            }
            for _ in 0..<(try content.count("elements", max: limits.elementEntriesMax)) {
                if flags & 4 != 0 {
                    try constantExpression(&content)
                } else {
                    _ = try content.index(of: "function", below: module.functionTypes.count)
                }
            }
        }
    }

    mutating func code(_ content: inout WasmCursor) throws(ScanFailure) {
        let bodies = try content.count("function bodies", max: limits.functionsMax)
        guard bodies == module.definedFunctions else { throw content.expected("\(module.definedFunctions) function bodies, not \(bodies)") }
        change { $0.bodies = bodies }
        for _ in 0..<bodies {
            let size = try content.u32("a function body's size")
            guard size <= limits.bodyBytesMax else { throw content.expected("a function body of at most \(limits.bodyBytesMax) bytes") }
            var body = try content.part(of: size, "a function body")
            try self.body(&body)
        }
    }

    /// Reads the declarations of locals, and that the instructions end in `end`; the whole body counts as passed over.
    private func body(_ body: inout WasmCursor) throws(ScanFailure) {
        body.source.note(body.remaining, as: .code)
        var locals = 0
        for _ in 0..<(try body.count("groups of locals", max: limits.localsMax)) {
            locals += try body.u32("a number of locals")
            guard locals <= limits.localsMax else { throw body.expected("at most \(limits.localsMax) locals") }
            try WasmType.value(&body)
        }
        guard !body.isAtEnd, try body.source.byte(at: body.end - 1) == WasmInstruction.end else {
            throw body.expected("a function body that ends in 0b", at: max(body.offset, body.end - 1))
        }
    }

    /// Flags: 0 active, 1 passive, 2 active in a memory that is named.
    mutating func data(_ content: inout WasmCursor) throws(ScanFailure) {
        let segments = try content.count("data segments", max: limits.segmentsMax)
        change { $0.dataSegments = segments }
        for _ in 0..<segments {
            let start = content.offset
            let flags = try content.u32("a data segment's flags")
            guard flags <= 2 else { throw content.expected("a data segment's flags in 0...2, not \(flags)", at: start) }
            if flags == 2 {
                _ = try content.index(of: "memory", below: module.memories.count)
            } else if flags == 0, module.memories.isEmpty {
                throw content.expected("a memory for a data segment", at: start)
            }
            if flags != 1 { try constantExpression(&content) }
            try content.pass(try content.u32("a data segment's length"), as: .data, "a data segment")
        }
    }

    /// Reads instructions up to `end`. What they leave on the stack is the runtime's to check.
    func constantExpression(_ content: inout WasmCursor) throws(ScanFailure) {
        while true {
            let start = content.offset
            switch try content.byte("a constant expression") {
            case WasmInstruction.end: return
            case WasmInstruction.i32Const: try content.signed(bits: 32, "a constant")
            case WasmInstruction.i64Const: try content.signed(bits: 64, "a constant")
            case WasmInstruction.f32Const: try content.read(4, "a constant")
            case WasmInstruction.f64Const: try content.read(8, "a constant")
            case WasmInstruction.simdPrefix:
                guard try content.u32("a vector instruction") == WasmInstruction.v128Const else {
                    throw content.expected("a vector constant, fd 0c", at: start)
                }
                try content.read(16, "a constant")
            case WasmInstruction.globalGet: _ = try content.index(of: "global", below: module.globals)
            case WasmInstruction.refNull: try WasmType.reference(&content)
            case WasmInstruction.refFunc: _ = try content.index(of: "function", below: module.functionTypes.count)
            case WasmInstruction.i32Arithmetic, WasmInstruction.i64Arithmetic: break
            case let other: throw content.expected("an instruction of a constant expression, not \(String(other, radix: 16))", at: start)
            }
        }
    }
}

/// The instructions that constant expressions may have. Source: WebAssembly Core Specification 2.0, "Constant Expressions"; the
/// arithmetic: version 3.0, as linkers of position-independent code write it.
enum WasmInstruction {
    static let end: UInt8 = 0x0B
    static let globalGet: UInt8 = 0x23
    static let i32Const: UInt8 = 0x41
    static let i64Const: UInt8 = 0x42
    static let f32Const: UInt8 = 0x43
    static let f64Const: UInt8 = 0x44
    static let refNull: UInt8 = 0xD0
    static let refFunc: UInt8 = 0xD2
    static let simdPrefix: UInt8 = 0xFD
    static let v128Const = 0x0C
    /// `add`, `sub`, `mul`.
    static let i32Arithmetic: ClosedRange<UInt8> = 0x6A...0x6C
    static let i64Arithmetic: ClosedRange<UInt8> = 0x7C...0x7E
}

/// So that a range can be a case of a `switch` by name.
private func ~= (range: ClosedRange<UInt8>, byte: UInt8) -> Bool { range.contains(byte) }
