/// Reads a core module, section by section, strictly.
///
/// Source: WebAssembly Core Specification 2.0, "Binary Format", and the tag section (13) of version 3.0. Instructions of function bodies
/// are not decoded; the runtime does that before it runs them.
struct WasmReader {
    let limits: WasmLimits
    private(set) var module = WasmModule()

    init(limits: WasmLimits) { self.limits = limits }

    private static let magic: [UInt8] = [0x00, 0x61, 0x73, 0x6D]
    private static let coreVersion: [UInt8] = [0x01, 0x00, 0x00, 0x00]
    /// The two bytes behind the version's that say "component". Source: Component Model, "Binary Format".
    private static let componentLayer: [UInt8] = [0x01, 0x00]

    /// - Throws: `malformed_artifact`; `unsupported_artifact` for components and for types of later proposals.
    mutating func read(_ source: ArtifactBytes) throws(ScanFailure) {
        let head = try source.bytes(0..<min(source.count, 8))
        guard head.starts(with: Self.magic) else {
            throw .malformed(source.name, at: 0, expected: "the magic bytes 00 61 73 6d of a WebAssembly module")
        }
        guard head.count == 8, Array(head[6...]) != Self.componentLayer else {
            if head.count < 8 { throw .malformed(source.name, at: 4, expected: "a version of 4 bytes") }
            throw .unsupported(
                "\(source.name) is a component of the WebAssembly component model; Islands run core modules.",
                remedy: "Submit a core module for WASI preview 1: build for the target wasm32-wasip1 (in older tools: wasm32-wasi).")
        }
        guard Array(head[4...]) == Self.coreVersion else { throw .malformed(source.name, at: 4, expected: "version 1") }
        var cursor = WasmCursor(source, 8..<source.count)
        var lastPlace = 0
        var sections = 0
        while !cursor.isAtEnd {
            sections += 1
            guard sections <= limits.sectionsMax else { throw cursor.expected("at most \(limits.sectionsMax) sections") }
            try section(&cursor, lastPlace: &lastPlace)
        }
        try finish(cursor)
    }

    private mutating func section(_ cursor: inout WasmCursor, lastPlace: inout Int) throws(ScanFailure) {
        let start = cursor.offset
        let id = try cursor.byte("a section")
        guard let section = WasmSection(rawValue: id) else { throw cursor.expected("a section's id in 0...13, not \(id)", at: start) }
        let size = try cursor.u32("a section's size")
        var content = try cursor.part(of: size, "the \(section.word) section")
        if section == .custom { return try custom(content) }
        guard section.place > lastPlace else {
            throw cursor.expected("each section once and in its order, not the \(section.word) section here", at: start)
        }
        lastPlace = section.place
        module.sectionNames.append(section.word)
        try known(section, &content)
        try content.finish("the \(section.word) section")
    }

    private mutating func known(_ section: WasmSection, _ content: inout WasmCursor) throws(ScanFailure) {
        switch section {
        case .custom: break
        case .type: try types(&content)
        case .imports: try imports(&content)
        case .function: try functions(&content)
        case .table: try tables(&content)
        case .memory: try memories(&content)
        case .global: try globals(&content)
        case .export: try exports(&content)
        case .start: try start(&content)
        case .element: try elements(&content)
        case .code: try code(&content)
        case .data: try data(&content)
        case .dataCount: module.declaredDataSegments = try content.u32("the number of data segments")
        case .tag: try tags(&content)
        }
    }

    /// Checks what only the whole module can show.
    private func finish(_ cursor: WasmCursor) throws(ScanFailure) {
        guard module.bodies == module.definedFunctions else {
            throw cursor.expected("\(module.definedFunctions) function bodies, not \(module.bodies)")
        }
        if let declared = module.declaredDataSegments, declared != module.dataSegments {
            throw cursor.expected("\(declared) data segments, not \(module.dataSegments)")
        }
    }

    private mutating func custom(_ section: WasmCursor) throws(ScanFailure) {
        var content = section
        let name = try content.name("a custom section's name", bytesMax: limits.nameBytesMax)
        module.customSections.append(.init(name: name, bytes: section.remaining))
        var reader = WasmCustomReader(limits: limits)
        try reader.read(name, &content)
        module.producers += reader.producers
        module.features += reader.features
        guard module.producers.count <= limits.producersMax, module.features.count <= limits.producersMax else {
            throw content.expected("at most \(limits.producersMax) producers and features in all")
        }
        if let name = reader.moduleName { module.moduleName = name }
    }
}

// What the sections say goes into the module through here, so that the sections can stand in files of their own.
extension WasmReader {
    mutating func change(_ change: (inout WasmModule) -> Void) { change(&module) }
}
