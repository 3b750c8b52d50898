/// What the sections of a module say, as far as the policy asks.
struct WasmModule {
    /// A memory's declared size, in pages of 64 KiB.
    struct Memory: Hashable {
        let minimumPages: UInt64
        let maximumPages: UInt64?
        let isShared: Bool
        let is64Bit: Bool
    }

    struct Import: Hashable {
        let module: String
        let name: String
        let kind: WasmExternalKind
    }

    struct Export {
        let name: String
        let kind: WasmExternalKind
        let index: Int
    }

    struct CustomSection {
        let name: String
        let bytes: Int
    }

    /// For each type, whether it is a function without parameters and results.
    var typesArePlain: [Bool] = []
    /// The type of each function, imported ones first.
    var functionTypes: [Int] = []
    var importedFunctions = 0
    var tables = 0
    var memories: [Memory] = []
    var globals = 0
    var tags = 0
    var imports: [Import] = []
    var exports: [Export] = []
    /// Whether there is a start function.
    var hasStart = false
    var elementSegments = 0
    var dataSegments = 0
    /// What the data count section says.
    var declaredDataSegments: Int?
    /// Function bodies read.
    var bodies = 0
    /// The names of the sections in their order, custom ones left out.
    var sectionNames: [String] = []
    var customSections: [CustomSection] = []
    /// What the name section calls the module.
    var moduleName: String?
    /// Target features, each with its prefix: `+simd128`.
    var features: [String] = []
    var producers: [ArtifactComponent] = []

    var definedFunctions: Int { functionTypes.count - importedFunctions }

    /// Whether a function has neither parameters nor results.
    func isPlain(function index: Int) -> Bool { functionTypes.indices.contains(index) && typesArePlain[functionTypes[index]] }

    /// How many things of a kind there are.
    func count(of kind: WasmExternalKind) -> Int {
        switch kind {
        case .function: functionTypes.count
        case .table: tables
        case .memory: memories.count
        case .global: globals
        case .tag: tags
        }
    }
}

/// What is imported or exported. Source: WebAssembly Core Specification, "Import Section"; tags: the exception handling proposal.
enum WasmExternalKind: UInt8, Hashable {
    case function = 0
    case table = 1
    case memory = 2
    case global = 3
    case tag = 4

    var word: String {
        switch self {
        case .function: "function"
        case .table: "table"
        case .memory: "memory"
        case .global: "global"
        case .tag: "tag"
        }
    }
}

/// A section's kind. Source: WebAssembly Core Specification, "Modules"; tags: the exception handling proposal.
enum WasmSection: UInt8, CaseIterable {
    case custom = 0
    case type = 1
    case imports = 2
    case function = 3
    case table = 4
    case memory = 5
    case global = 6
    case export = 7
    case start = 8
    case element = 9
    case code = 10
    case data = 11
    case dataCount = 12
    case tag = 13

    /// The section's name, as the specification writes it.
    var word: String {
        switch self {
        case .custom: "custom"
        case .type: "type"
        case .imports: "import"
        case .function: "function"
        case .table: "table"
        case .memory: "memory"
        case .global: "global"
        case .export: "export"
        case .start: "start"
        case .element: "element"
        case .code: "code"
        case .data: "data"
        case .dataCount: "data count"
        case .tag: "tag"
        }
    }

    /// The section's place in a module; custom sections stand anywhere.
    var place: Int {
        switch self {
        case .custom: 0
        case .type: 1
        case .imports: 2
        case .function: 3
        case .table: 4
        case .memory: 5
        case .tag: 6
        case .global: 7
        case .export: 8
        case .start: 9
        case .element: 10
        case .dataCount: 11
        case .code: 12
        case .data: 13
        }
    }
}
