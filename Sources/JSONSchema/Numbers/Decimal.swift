import JSON

/// A decimal number exactly: `digits · 10^exponent` with a sign.
struct Decimal: Hashable {
    /// Whether it is below zero.
    let isNegative: Bool
    /// 0–9 each, the most significant first, without zeros at either end; empty for zero.
    let digits: [UInt8]
    /// The power of ten that the last digit counts.
    let exponent: Int

    /// Larger exponents are taken for this one: they lie beyond every number that is compared with them.
    private static let exponentMax = 1_000_000_000_000_000

    /// The number that a JSON number's text stands for.
    init(_ number: JSONNumber) {
        let text = number.text
        let parts = text.split(maxSplits: 1) { $0 == "e" || $0 == "E" }
        let mantissa = parts.first ?? "0"
        let halves = mantissa.split(separator: ".", maxSplits: 1)
        var all = halves.joined().utf8.filter { $0 != UInt8(ascii: "-") }.map { $0 - UInt8(ascii: "0") }
        var power = parts.count > 1 ? Self.exponent(parts[1]) : 0
        power -= halves.count > 1 ? halves[1].utf8.count : 0
        while all.last == 0 {
            all.removeLast()
            power += 1
        }
        all.removeFirst(all.prefix { $0 == 0 }.count)
        digits = all
        exponent = all.isEmpty ? 0 : power
        isNegative = text.hasPrefix("-") && !all.isEmpty
    }

    private static func exponent(_ text: Substring) -> Int {
        guard let value = Int(text.hasPrefix("+") ? text.dropFirst() : text) else { return text.hasPrefix("-") ? -exponentMax : exponentMax }
        return min(max(value, -exponentMax), exponentMax)
    }

    /// Whether it has no fraction.
    var isInteger: Bool { exponent >= 0 }

    /// The whole number, cut to the range of 64 bits; `nil` with a fraction.
    var clampedInt: Int? {
        guard isInteger else { return nil }
        let limit = isNegative ? Int.min : Int.max
        guard digits.count + exponent <= 19 else { return digits.isEmpty ? 0 : limit }
        var value = 0
        for digit in digits + [UInt8](repeating: 0, count: exponent) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowToo) = product.addingReportingOverflow(isNegative ? -Int(digit) : Int(digit))
            if overflow || overflowToo { return limit }
            value = sum
        }
        return value
    }

    /// The number in one way only, so that equal numbers have equal texts.
    var canonical: String { (isNegative ? "-" : "") + digits.map { String($0) }.joined() + "e\(exponent)" }

    static func < (left: Decimal, right: Decimal) -> Bool {
        if left.isNegative != right.isNegative { return left.isNegative }
        return left.isNegative ? right.magnitudeIsLess(than: left) : left.magnitudeIsLess(than: right)
    }

    private func magnitudeIsLess(than other: Decimal) -> Bool {
        if digits.isEmpty || other.digits.isEmpty { return digits.isEmpty && !other.digits.isEmpty }
        let (own, others) = (digits.count + exponent, other.digits.count + other.exponent)
        return own == others ? digits.lexicographicallyPrecedes(other.digits) : own < others
    }

    /// Whether it is a whole multiple of a number above zero.
    ///
    /// With `self = a·10^i`, `divisor = b·10^j`: if `i ≥ j`, whether `b` divides `a·10^(i−j)`; powers beyond 256 bring nothing new, since
    /// `b` has less than 213 factors of 2. Else whether `b·10^(j−i)` divides `a`, which needs as many digits.
    func isMultiple(of divisor: Decimal) -> Bool {
        if digits.isEmpty { return true }
        if divisor.digits.isEmpty { return false }
        let shift = exponent - divisor.exponent
        if shift >= 0 {
            return Self.remainderIsZero(digits + [UInt8](repeating: 0, count: min(shift, 256)), by: divisor.digits)
        }
        guard -shift <= digits.count else { return false }
        return Self.remainderIsZero(digits, by: divisor.digits + [UInt8](repeating: 0, count: -shift))
    }

    /// Long division in base ten: brings down one digit after the other and subtracts.
    private static func remainderIsZero(_ dividend: [UInt8], by divisor: [UInt8]) -> Bool {
        var remainder: [UInt8] = []
        for digit in dividend {
            if !remainder.isEmpty || digit != 0 { remainder.append(digit) }
            while !precedes(remainder, divisor) { subtract(divisor, from: &remainder) }
        }
        return remainder.isEmpty
    }

    private static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count ? left.lexicographicallyPrecedes(right) : left.count < right.count
    }

    private static func subtract(_ right: [UInt8], from left: inout [UInt8]) {
        var borrow: Int8 = 0
        for index in 0..<left.count {
            let place = left.count - 1 - index
            let taken = index < right.count ? Int8(right[right.count - 1 - index]) : 0
            var value = Int8(left[place]) - taken - borrow
            borrow = value < 0 ? 1 : 0
            if value < 0 { value += 10 }
            left[place] = UInt8(value)
        }
        left.removeFirst(left.prefix { $0 == 0 }.count)
    }
}

/// A value as a text that is the same for equal values: numbers by value, members in order of name.
enum CanonicalText {
    static func of(_ value: JSONValue) -> String {
        var text = ""
        append(value, to: &text)
        return text
    }

    private static func append(_ value: JSONValue, to text: inout String) {
        switch value {
        case .null: text += "n"
        case .bool(let truth): text += truth ? "t" : "f"
        case .number(let number): text += "#" + Decimal(number).canonical + ";"
        case .string(let string): append(string, to: &text)
        case .array(let elements):
            text += "["
            for element in elements { append(element, to: &text) }
            text += "]"
        case .object(let object):
            text += "{"
            for member in object.members.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
                append(member.name, to: &text)
                append(member.value, to: &text)
            }
            text += "}"
        }
    }

    /// With its length before it, so that no text runs into the next. Other texts than ASCII are written as numbers, because Swift's
    /// strings compare by canonical equivalence.
    private static func append(_ string: String, to text: inout String) {
        if string.utf8.allSatisfy({ $0 < 0x80 }) {
            text += "\"\(string.utf8.count):\(string)"
        } else {
            let bytes = string.utf8.map { String($0, radix: 16) }.joined(separator: ".")
            text += "'\(bytes.utf8.count):\(bytes)"
        }
    }
}
