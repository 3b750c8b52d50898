/// Finds fields that different JSON readers would read differently.
///
/// With a field twice, some readers take the first and some the last; Go's, which scanners use, also takes `LAYERS` for `layers`. Such a
/// manifest would be one image to the scanner and another one here.
enum JSONKeys {
    /// Fields that something here or a scanner acts on, lower case. Elsewhere (labels, annotations) keys that differ in case are different.
    private static let known: Set<String> = [
        "schemaversion", "mediatype", "artifacttype", "config", "layers", "manifests", "subject", "annotations", "digest", "size", "urls",
        "data", "platform", "architecture", "os", "variant", "rootfs", "type", "diff_ids", "entrypoint", "cmd", "env", "workingdir", "user",
        "labels", "fslayers", "imagelayoutversion",
    ]

    private struct Level {
        let isObject: Bool
        var awaitsKey: Bool
        var keys: Set<String> = []
    }

    /// Whether an object has a key twice, or a known key twice in different cases.
    ///
    /// - Parameter bytes: a JSON text that a decoder accepted; of others the answer means nothing.
    static func areAmbiguous(in bytes: [UInt8]) -> Bool {
        var levels: [Level] = []
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "{"): levels.append(Level(isObject: true, awaitsKey: true))
            case UInt8(ascii: "["): levels.append(Level(isObject: false, awaitsKey: false))
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = levels.popLast()
            case UInt8(ascii: ","):
                if let last = levels.indices.last { levels[last].awaitsKey = levels[last].isObject }
            case UInt8(ascii: "\""):
                let start = index + 1
                index = end(ofStringFrom: start, in: bytes)
                if let last = levels.indices.last, levels[last].awaitsKey {
                    levels[last].awaitsKey = false
                    let key = unescaped(bytes[start..<index])
                    // To upper case and back, so that letters that only fold to ASCII (the long s, the Kelvin sign) are found too.
                    let folded = key.uppercased().lowercased()
                    let counted = known.contains(folded) ? folded : key
                    if !levels[last].keys.insert(counted).inserted { return true }
                }
            default: break
            }
            index += 1
        }
        return false
    }

    /// Index of the closing quotation mark, or of the end.
    private static func end(ofStringFrom start: Int, in bytes: [UInt8]) -> Int {
        var index = start
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
        return min(index, bytes.count)
    }

    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "\\")) else { return String(decoding: bytes, as: UTF8.self) }
        var units: [UInt16] = []
        var rest = Array(String(decoding: bytes, as: UTF8.self).utf16)[...]
        while let unit = rest.popFirst() {
            guard unit == 0x5c, let escape = rest.popFirst() else {
                units.append(unit)
                continue
            }
            guard escape == 0x75 else {
                // \n, \t and the like: no known field has one, so any one sign will do.
                units.append(escape)
                continue
            }
            let digits = String(decoding: rest.prefix(4), as: UTF16.self)
            units.append(UInt16(digits, radix: 16) ?? 0xfffd)
            rest = rest.dropFirst(4)
        }
        return String(decoding: units, as: UTF16.self)
    }
}
