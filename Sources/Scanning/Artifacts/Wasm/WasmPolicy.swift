/// What a module may import, declare and must export.
enum WasmPolicy {
    /// The size of a page, in bytes. Source: WebAssembly Core Specification 2.0, "Memory Instances".
    static let pageBytes: UInt64 = 65_536
    /// More is refused, in bytes. Source: the product's documentation, memory of trust levels 1 and 2.
    static let memoryBytesMax: UInt64 = 1 << 30
    /// More does not fit level 0, in bytes. Source: as above.
    static let memoryLevel0BytesMax: UInt64 = 256 << 20

    static func judge(_ module: WasmModule, file: String, _ draft: inout ArtifactDraft) {
        for one in module.imports { judge(one, file: file, &draft) }
        judgeMemories(module, file: file, &draft)
        judgeExports(module, file: file, &draft)
        for section in module.customSections where section.name == "dylink" || section.name == "dylink.0" {
            draft.find(.wasmDynamic, in: file, "custom section \(section.name): a library for a dynamic linker, which Islands do not have")
        }
        if module.customSections.contains(where: { $0.name.hasPrefix(".debug_") }) {
            draft.find(.wasmDebug, in: file, "debug information, which strangers can read: strip it")
        }
    }

    private static func judge(_ one: WasmModule.Import, file: String, _ draft: inout ArtifactDraft) {
        // The names first and whole names shortened, so that the reason stays visible.
        let what = "import \(one.module).\(one.name)"
        guard one.module == WASIInterface.module, one.kind == .function, let treatment = WASIInterface.treatment(of: one.name) else {
            return draft.find(.wasmImport, in: file, one.kind == .function ? what : "\(what) (\(one.kind.word))")
        }
        switch treatment {
        case .allowed: break
        case .allowedWithoutFiles: draft.find(.wasmFileImport, in: file, "\(what): there are no files")
        case .refused(let reason): draft.find(.wasmImport, in: file, "\(what): \(reason)")
        }
    }

    private static func judgeMemories(_ module: WasmModule, file: String, _ draft: inout ArtifactDraft) {
        // No overflow: at most 2⁴⁸ pages of 2¹⁶ bytes; as many as that are capped first.
        let pages = module.memories.reduce(UInt64(0)) { min($0 + $1.minimumPages, WasmType.pages64Max - 1) }
        let bytes = pages * pageBytes
        if bytes > memoryBytesMax {
            draft.find(.wasmMemory, in: file, "memory of \(bytes) bytes from the start, more than the \(memoryBytesMax) of level 1")
        } else if bytes > memoryLevel0BytesMax {
            draft.find(.wasmMemoryLevel0, in: file, "memory of \(bytes) bytes from the start, more than the \(memoryLevel0BytesMax) of level 0")
        }
        if module.memories.contains(where: \.is64Bit) { draft.find(.wasmMemory64, in: file, "memory with addresses of 64 bits") }
        if module.memories.contains(where: \.isShared) {
            draft.find(.wasmSharedMemory, in: file, "memory shared between threads, and a Cargo has one thread")
        }
        if module.memories.count > 1 { draft.find(.wasmManyMemories, in: file, "\(module.memories.count) memories, and WASI knows one") }
    }

    /// Source: WASI preview 1, "Application ABI": a command exports `_start`, and its memory as `memory`.
    private static func judgeExports(_ module: WasmModule, file: String, _ draft: inout ArtifactDraft) {
        if let start = module.exports.first(where: { $0.name == "_start" }) {
            if start.kind != .function || !module.isPlain(function: start.index) {
                draft.find(.wasmNoCommand, in: file, "export _start is not a function without parameters and results")
            }
        } else {
            let isReactor = module.exports.contains { $0.name == "_initialize" }
            draft.find(.wasmNoCommand, in: file, "no export _start" + (isReactor ? ": a reactor, not a command" : ""))
        }
        if module.exports.first(where: { $0.name == "memory" })?.kind != .memory {
            draft.find(.wasmNoCommand, in: file, "no export memory, through which WASI reads and writes")
        }
    }

    /// States what a reader wants to know.
    static func describe(_ module: WasmModule, _ draft: inout ArtifactDraft) {
        draft.state("module version", 1)
        if let name = module.moduleName { draft.state("module name", name) }
        draft.state("sections", ArtifactText.list(module.sectionNames))
        for memory in module.memories {
            draft.state("memory minimum pages", String(memory.minimumPages))
            let (bytes, overflows) = memory.minimumPages.multipliedReportingOverflow(by: pageBytes)
            draft.state("memory minimum bytes", overflows ? "2^64" : String(bytes))
            draft.state("memory maximum pages", memory.maximumPages.map { String($0) } ?? "not declared")
        }
        draft.state("functions", module.definedFunctions)
        draft.state("tables", module.tables)
        draft.state("globals", module.globals)
        draft.state("tags", module.tags)
        draft.state("element segments", module.elementSegments)
        draft.state("data segments", module.dataSegments)
        draft.state("start function", module.hasStart ? "yes" : "no")
        for one in module.imports { draft.state("import", "\(one.module).\(one.name) \(one.kind.word)") }
        var exports = ArtifactNames()
        for one in module.exports { exports.add("\(one.name) \(one.kind.word)") }
        draft.state("export", exports)
        for section in module.customSections { draft.state("custom section", "\(section.name), \(section.bytes) bytes") }
        for feature in module.features { draft.state("target feature", feature) }
        for producer in module.producers { draft.mention(producer.role, name: producer.name, version: producer.version) }
    }
}
