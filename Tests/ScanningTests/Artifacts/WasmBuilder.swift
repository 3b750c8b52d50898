/// Writes WebAssembly modules by hand, well formed or not.
struct WasmBuilder {
    var bytes: [UInt8] = [0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00]

    /// An unsigned LEB128 number in as few bytes as it takes.
    static func number(_ value: Int) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        repeat {
            bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }

    static func name(_ text: String) -> [UInt8] { number(text.utf8.count) + Array(text.utf8) }

    static func vector(_ entries: [[UInt8]]) -> [UInt8] { number(entries.count) + entries.flatMap { $0 } }

    func section(_ id: UInt8, _ content: [UInt8]) -> WasmBuilder {
        WasmBuilder(bytes: bytes + [id] + Self.number(content.count) + content)
    }

    func custom(_ name: String, _ content: [UInt8]) -> WasmBuilder { section(0, Self.name(name) + content) }

    /// One type without parameters and results, then `(i32) -> i32`.
    func types() -> WasmBuilder { section(1, Self.vector([[0x60, 0, 0], [0x60, 1, 0x7F, 1, 0x7F]])) }

    func imports(_ list: [(module: String, name: String, tail: [UInt8])]) -> WasmBuilder {
        section(2, Self.vector(list.map { Self.name($0.module) + Self.name($0.name) + $0.tail }))
    }

    func functions(_ types: [UInt8] = [0]) -> WasmBuilder { section(3, Self.vector(types.map { [$0] })) }

    func memory(_ limits: [UInt8] = [0, 1]) -> WasmBuilder { section(5, Self.vector([limits])) }

    /// `memory` and `_start`, which is the function with the index.
    func exports(start: UInt8 = 0) -> WasmBuilder {
        section(7, Self.vector([Self.name("memory") + [2, 0], Self.name("_start") + [0, start]]))
    }

    func code(_ bodies: [[UInt8]] = [[0, 0x0B]]) -> WasmBuilder {
        section(10, Self.vector(bodies.map { Self.number($0.count) + $0 }))
    }

    /// A command that does nothing.
    static let command = WasmBuilder().types().functions().memory().exports().code()
}
