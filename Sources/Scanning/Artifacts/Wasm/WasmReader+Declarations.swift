/// The sections that declare: types, imports, functions, tables, memories, globals, tags, exports, start.
extension WasmReader {
    mutating func types(_ content: inout WasmCursor) throws(ScanFailure) {
        for _ in 0..<(try content.count("types", max: limits.typesMax)) {
            let start = content.offset
            let form = try content.byte("a type")
            guard form == WasmType.functionForm else {
                // Source: WebAssembly 3.0, "Recursive Types", "Composite Types".
                if (0x4E...0x50).contains(form) || (0x5E...0x5F).contains(form) { throw WasmType.later(content.source.name, "garbage collection") }
                throw content.expected("a function type, 60", at: start)
            }
            let parameters = try content.count("parameters", max: limits.parametersMax)
            for _ in 0..<parameters { try WasmType.value(&content) }
            let results = try content.count("results", max: limits.resultsMax)
            for _ in 0..<results { try WasmType.value(&content) }
            change { $0.typesArePlain.append(parameters == 0 && results == 0) }
        }
    }

    mutating func imports(_ content: inout WasmCursor) throws(ScanFailure) {
        for _ in 0..<(try content.count("imports", max: limits.importsMax)) {
            let from = try content.name("an import's module", bytesMax: limits.nameBytesMax)
            let name = try content.name("an import's name", bytesMax: limits.nameBytesMax)
            let kind = try externalKind(&content)
            switch kind {
            case .function:
                let type = try content.index(of: "type", below: module.typesArePlain.count)
                change {
                    $0.functionTypes.append(type)
                    $0.importedFunctions += 1
                }
            case .table: try table(&content)
            case .memory: try memory(&content)
            case .global:
                try globalType(&content)
                change { $0.globals += 1 }
            case .tag: try tag(&content)
            }
            change { $0.imports.append(.init(module: from, name: name, kind: kind)) }
        }
    }

    mutating func functions(_ content: inout WasmCursor) throws(ScanFailure) {
        for _ in 0..<(try content.count("functions", max: limits.functionsMax)) {
            let type = try content.index(of: "type", below: module.typesArePlain.count)
            change { $0.functionTypes.append(type) }
        }
    }

    mutating func tables(_ content: inout WasmCursor) throws(ScanFailure) {
        for _ in 0..<(try content.count("tables", max: limits.tablesMax)) { try table(&content) }
    }

    mutating func memories(_ content: inout WasmCursor) throws(ScanFailure) {
        for _ in 0..<(try content.count("memories", max: limits.memoriesMax)) { try memory(&content) }
    }

    mutating func tags(_ content: inout WasmCursor) throws(ScanFailure) {
        for _ in 0..<(try content.count("tags", max: limits.tagsMax)) { try tag(&content) }
    }

    mutating func globals(_ content: inout WasmCursor) throws(ScanFailure) {
        for _ in 0..<(try content.count("globals", max: limits.globalsMax)) {
            try globalType(&content)
            // Before it counts: a global's value is not made from itself.
            try constantExpression(&content)
            change { $0.globals += 1 }
        }
    }

    mutating func exports(_ content: inout WasmCursor) throws(ScanFailure) {
        var names: Set<String> = []
        for _ in 0..<(try content.count("exports", max: limits.exportsMax)) {
            let start = content.offset
            let name = try content.name("an export's name", bytesMax: limits.nameBytesMax)
            // Compared by Unicode scalars, as the specification does: `String`'s own equality takes two spellings of one letter as one.
            guard names.insert(WasmReader.exactly(name)).inserted else { throw content.expected("every export's name once", at: start) }
            let kind = try externalKind(&content)
            let index = try content.index(of: kind.word, below: module.count(of: kind))
            change { $0.exports.append(.init(name: name, kind: kind, index: index)) }
        }
    }

    mutating func start(_ content: inout WasmCursor) throws(ScanFailure) {
        let place = content.offset
        let index = try content.index(of: "function", below: module.functionTypes.count)
        guard module.isPlain(function: index) else { throw content.expected("a start function without parameters and results", at: place) }
        change { $0.hasStart = true }
    }

    private static func exactly(_ name: String) -> String {
        name.utf8.allSatisfy { $0 < 0x80 } ? name : name.unicodeScalars.map { String($0.value, radix: 16) }.joined(separator: " ")
    }

    private func externalKind(_ content: inout WasmCursor) throws(ScanFailure) -> WasmExternalKind {
        let start = content.offset
        let byte = try content.byte("what is imported or exported")
        guard let kind = WasmExternalKind(rawValue: byte) else { throw content.expected("a kind in 0...4, not \(byte)", at: start) }
        return kind
    }

    private mutating func table(_ content: inout WasmCursor) throws(ScanFailure) {
        try WasmType.reference(&content)
        let start = content.offset
        let flags = try content.byte("a table's limits")
        guard flags <= 1 else { throw content.expected("a table's limits with flags 0 or 1, not \(flags)", at: start) }
        let minimum = try content.u32("a table's minimum")
        if flags == 1, try content.u32("a table's maximum") < minimum {
            throw content.expected("a table's maximum of at least its minimum", at: start)
        }
        change { $0.tables += 1 }
    }

    /// Flags: 1 a maximum, 2 shared, 4 addresses of 64 bits. Source: WebAssembly 3.0, "Limits"; shared: the threads proposal.
    private mutating func memory(_ content: inout WasmCursor) throws(ScanFailure) {
        let start = content.offset
        let flags = try content.byte("a memory's limits")
        guard flags <= 7 else { throw content.expected("a memory's limits with flags 0 to 7, not \(flags)", at: start) }
        let is64Bit = flags & 4 != 0
        let bound = is64Bit ? WasmType.pages64Max : WasmType.pagesMax
        let minimum = is64Bit ? try content.u64("a memory's minimum") : UInt64(try content.u32("a memory's minimum"))
        var maximum: UInt64?
        if flags & 1 != 0 { maximum = is64Bit ? try content.u64("a memory's maximum") : UInt64(try content.u32("a memory's maximum")) }
        guard minimum <= maximum ?? bound, maximum ?? 0 <= bound else {
            throw content.expected("a memory's minimum and maximum in order and of at most \(bound) pages", at: start)
        }
        guard flags & 2 == 0 || maximum != nil else { throw content.expected("a shared memory's maximum", at: start) }
        change { $0.memories.append(.init(minimumPages: minimum, maximumPages: maximum, isShared: flags & 2 != 0, is64Bit: is64Bit)) }
    }

    private func globalType(_ content: inout WasmCursor) throws(ScanFailure) {
        try WasmType.value(&content)
        let start = content.offset
        guard try content.byte("a global's mutability") <= 1 else { throw content.expected("a global's mutability of 0 or 1", at: start) }
    }

    private mutating func tag(_ content: inout WasmCursor) throws(ScanFailure) {
        let start = content.offset
        guard try content.byte("a tag's attribute") == 0 else { throw content.expected("a tag's attribute of 0", at: start) }
        _ = try content.index(of: "type", below: module.typesArePlain.count)
        change { $0.tags += 1 }
    }
}

/// Types as the binary format writes them. Source: WebAssembly Core Specification 2.0, "Types".
enum WasmType {
    static let functionForm: UInt8 = 0x60
    /// The most pages of a memory with addresses of 32 bits, and of 64 bits.
    static let pagesMax: UInt64 = 1 << 16
    static let pages64Max: UInt64 = 1 << 48

    /// Reads a value's type: `i32`, `i64`, `f32`, `f64`, `v128`, `funcref`, `externref`.
    static func value(_ content: inout WasmCursor) throws(ScanFailure) {
        let start = content.offset
        switch try content.byte("a value's type") {
        case 0x7B...0x7F, 0x6F, 0x70: return
        case let byte: throw refusal(byte, "a value's type", content, start)
        }
    }

    /// Reads a reference's type: `funcref`, `externref`.
    static func reference(_ content: inout WasmCursor) throws(ScanFailure) {
        let start = content.offset
        switch try content.byte("a reference's type") {
        case 0x6F, 0x70: return
        case let byte: throw refusal(byte, "a reference's type", content, start)
        }
    }

    /// A proposal that the module uses and that is not part of version 2.0.
    static func later(_ file: String, _ what: String) -> ScanFailure {
        .unsupported(
            "\(file) uses a part of WebAssembly that is later than version 2.0: \(what).",
            remedy: "Build without it: for the target wasm32-wasip1, with the target's usual features.")
    }

    /// Source for the later types: WebAssembly 3.0, "Reference Types", "Heap Types"; a table's `40` says that an initial value follows.
    private static func refusal(_ byte: UInt8, _ what: String, _ content: WasmCursor, _ start: Int) -> ScanFailure {
        switch byte {
        case 0x40, 0x63, 0x64, 0x69...0x6E, 0x71...0x74: later(content.source.name, "reference type \(String(byte, radix: 16))")
        default: content.expected("\(what), not \(String(byte, radix: 16))", at: start)
        }
    }
}
