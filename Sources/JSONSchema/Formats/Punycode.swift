/// Source: RFC 3492.
enum Punycode {
    private static let (base, least, most, skew, damp) = (36, 1, 26, 38, 700)

    private static func adapt(_ delta: Int, _ count: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / count
        var k = 0
        while delta > (base - least) * most / 2 {
            delta /= base - least
            k += base
        }
        return k + (base - least + 1) * delta / (delta + skew)
    }

    private static func threshold(_ k: Int, _ bias: Int) -> Int { min(max(k - bias, least), most) }

    /// The characters of a label after its `xn--`; `nil` when it is none.
    static func decoded(_ text: String) -> [Unicode.Scalar]? {
        var output: [Unicode.Scalar] = []
        var rest = Substring(text)
        if let dash = text.lastIndex(of: "-") {
            output = Array(text[..<dash].unicodeScalars)
            rest = text[text.index(after: dash)...]
        }
        guard !rest.isEmpty, text.utf8.count <= 63 else { return nil }
        var (n, i, bias) = (128, 0, 72)
        var bytes = rest.utf8[...]
        while !bytes.isEmpty {
            let old = i
            var (weight, k) = (1, base)
            while true {
                guard let byte = bytes.popFirst() else { return nil }
                let digit = Character.isDigit(byte) ? Int(byte) - 22 : Character.isLetter(byte) ? Int(byte | 0x20) - 97 : base
                guard digit < base else { return nil }
                i += digit * weight
                guard i < 1 << 40 else { return nil }
                let t = threshold(k, bias)
                if digit < t { break }
                weight *= base - t
                guard weight < 1 << 40 else { return nil }
                k += base
            }
            bias = adapt(i - old, output.count + 1, isFirst: old == 0)
            n += i / (output.count + 1)
            i %= output.count + 1
            guard let scalar = UInt32(exactly: n).flatMap(Unicode.Scalar.init) else { return nil }
            output.insert(scalar, at: i)
            i += 1
        }
        return output
    }

    /// A label as it stands after its `xn--`; `nil` when it is far too long.
    static func encoded(_ input: [Unicode.Scalar]) -> String? {
        guard input.count <= 63 else { return nil }
        let basic = input.filter(\.isASCII)
        var output = String(String.UnicodeScalarView(basic)) + (basic.isEmpty ? "" : "-")
        var (handled, n, delta, bias) = (basic.count, 128, 0, 72)
        while handled < input.count {
            let next = input.map { Int($0.value) }.filter { $0 >= n }.min() ?? n
            delta += (next - n) * (handled + 1)
            n = next
            for scalar in input {
                if scalar.value < n { delta += 1 }
                guard scalar.value == n else { continue }
                output += digits(of: delta, bias)
                bias = adapt(delta, handled + 1, isFirst: handled == basic.count)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return output
    }

    /// A whole number of variable length.
    private static func digits(of number: Int, _ bias: Int) -> String {
        var (rest, k, text) = (number, base, "")
        while true {
            let t = threshold(k, bias)
            guard rest >= t else { return text + digit(rest) }
            text += digit(t + (rest - t) % (base - t))
            rest = (rest - t) / (base - t)
            k += base
        }
    }

    private static func digit(_ value: Int) -> String { String(Character(Unicode.Scalar(UInt8(value < 26 ? 97 + value : 22 + value)))) }
}
