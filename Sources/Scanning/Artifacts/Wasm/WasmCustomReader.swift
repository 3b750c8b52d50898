/// Reads custom sections: those whose shape is published in full, the others as bytes.
///
/// Source: WebAssembly Core Specification 2.0, "Custom Sections" and "Name Section"; WebAssembly tool conventions, "Producers Section",
/// "Target Features Section", "Debugging".
struct WasmCustomReader {
    let limits: WasmLimits
    private(set) var producers: [ArtifactComponent] = []
    private(set) var features: [String] = []
    private(set) var moduleName: String?

    init(limits: WasmLimits) { self.limits = limits }

    mutating func read(_ name: String, _ content: inout WasmCursor) throws(ScanFailure) {
        switch name {
        case "name": try names(&content)
        case "producers": try producers(&content)
        case "target_features": try features(&content)
        default: try content.pass(content.remaining, as: name.hasPrefix(".debug_") ? .debug : .opaque, "a custom section")
        }
        try content.finish("the custom section")
    }

    // MARK: producers, target_features

    private mutating func producers(_ content: inout WasmCursor) throws(ScanFailure) {
        for _ in 0..<(try content.count("fields of producers", max: limits.producersMax)) {
            let role = try content.name("a field's name", bytesMax: limits.nameBytesMax)
            for _ in 0..<(try content.count("producers", max: limits.producersMax)) {
                let name = try content.name("a producer's name", bytesMax: limits.nameBytesMax)
                let version = try content.name("a producer's version", bytesMax: limits.nameBytesMax)
                guard producers.count < limits.producersMax else { throw content.expected("at most \(limits.producersMax) producers in all") }
                producers.append(ArtifactComponent(role: role, name: name, version: version))
            }
        }
    }

    private mutating func features(_ content: inout WasmCursor) throws(ScanFailure) {
        for _ in 0..<(try content.count("features", max: limits.producersMax)) {
            let start = content.offset
            let prefix = try content.byte("a feature's prefix")
            guard [UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "=")].contains(prefix) else {
                throw content.expected("a feature's prefix: +, - or =", at: start)
            }
            let name = try content.name("a feature's name", bytesMax: limits.nameBytesMax)
            features.append(String(Unicode.Scalar(prefix)) + name)
        }
    }

    // MARK: name

    /// What a subsection holds. Source: as above; 3 to 11: the extended name section proposal. 10 is the fields' there, and in older tools
    /// the tags'.
    private enum Names {
        case one, map, mapOfMaps, either

        init?(id: UInt8) {
            switch id {
            case 0: self = .one
            case 1, 4...9, 11: self = .map
            case 2, 3: self = .mapOfMaps
            case 10: self = .either
            default: return nil
            }
        }
    }

    private mutating func names(_ content: inout WasmCursor) throws(ScanFailure) {
        while !content.isAtEnd {
            let id = try content.byte("a subsection")
            var part = try content.part(of: try content.u32("a subsection's size"), "a subsection")
            switch Names(id: id) {
            case .one: moduleName = try part.name("the module's name", bytesMax: limits.nameBytesMax)
            case .map: try map(&part)
            case .mapOfMaps: try mapOfMaps(&part)
            case .either:
                var tags = part
                do {
                    try map(&tags)
                    try tags.finish("the subsection")
                    part = tags
                } catch {
                    // Not the one, so it has to be the other.
                    try mapOfMaps(&part)
                }
            case nil: try part.pass(part.remaining, as: .opaque, "a subsection")
            }
            try part.finish("the subsection")
        }
    }

    private func mapOfMaps(_ part: inout WasmCursor) throws(ScanFailure) {
        for _ in 0..<(try part.count("maps of names", max: limits.functionsMax)) {
            _ = try part.u32("an index")
            try map(&part)
        }
    }

    private func map(_ part: inout WasmCursor) throws(ScanFailure) {
        for _ in 0..<(try part.count("names", max: limits.functionsMax)) {
            _ = try part.u32("an index")
            _ = try part.name("a name", bytesMax: limits.nameBytesMax)
        }
    }
}
