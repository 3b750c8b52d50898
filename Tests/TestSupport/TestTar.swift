/// Writes tars with anything in them, hostile things too. Independent of the module's own writer.
public struct TestTar {
    /// What is written so far.
    public private(set) var bytes: [UInt8] = []

    /// An empty one.
    public init() {}

    public mutating func add(
        _ path: String, type: Character = "0", content: [UInt8] = [], link: String = "", mode: Int = 0o644, uid: Int = 0, gid: Int = 0,
        mtime: Int = 1_000_000
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        func octal(_ value: Int, _ digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: digits - text.count) + text
        }
        put(path, 0)
        put(octal(mode, 7), 100)
        put(octal(uid, 7), 108)
        put(octal(gid, 7), 116)
        put(octal(content.count, 11), 124)
        put(octal(mtime, 11), 136)
        put(String(type), 156)
        put(link, 157)
        put("ustar\u{0}00", 257)
        for index in 148..<156 { header[index] = 0x20 }
        put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\u{0} ", 148)
        bytes += header + content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    public mutating func folder(_ path: String, mode: Int = 0o755) { add(path + "/", type: "5", mode: mode) }
    public mutating func file(_ path: String, _ text: String = "x", mode: Int = 0o644) { add(path, content: Array(text.utf8), mode: mode) }
    public mutating func link(_ path: String, to target: String) { add(path, type: "2", link: target, mode: 0o777) }
    public mutating func hardLink(_ path: String, to target: String) { add(path, type: "1", link: target) }

    public var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    public static func make(_ build: (inout TestTar) -> Void) -> [UInt8] {
        var tar = TestTar()
        build(&tar)
        return tar.finished
    }

    /// Layers of files, folders, links and whiteouts in one another's way, the same for a seed. Names of files begin with `f`.
    public static func madeUpLayers(seed: UInt64) -> [[UInt8]] {
        var random = SplitMix64(state: seed)
        let names = ["a", "b", "c"]
        func path() -> String {
            (0..<Int.random(in: 1...3, using: &random)).map { _ in names.randomElement(using: &random) ?? "" }.joined(separator: "/")
        }
        return (0..<3).map { layer in
            make { tar in
                for number in 0..<8 {
                    let own = path()
                    switch Int.random(in: 0..<7, using: &random) {
                    case 0, 1: tar.file("\(own)/f\(number % 3)", "layer \(layer), \(number)", mode: 0o600 + number)
                    case 2: tar.folder(own, mode: 0o750)
                    case 3, 4: tar.link(own, to: (Bool.random(using: &random) ? "/" : "") + path())
                    case 5: tar.file("\(own)/.wh.\(names[number % 3])")
                    default: tar.file("\(own)/.wh..wh..opq")
                    }
                }
            }
        }
    }
}
