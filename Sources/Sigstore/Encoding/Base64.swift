/// Base64 as Sigstore's files have it: the standard alphabet with padding (RFC 4648 §4), in which line ends may stand anywhere, since
/// Go's decoder passes over them. Anything else that is not of the alphabet is a mistake.
enum Base64 {
    /// The bytes of a text; `nil` when it is no base64.
    static func bytes(_ text: String) -> [UInt8]? {
        var text = text
        return text.withUTF8(decoded)
    }

    /// The bytes of a text in UTF-8; `nil` when it is no base64.
    static func bytes(_ text: [UInt8]) -> [UInt8]? { text.withUnsafeBufferPointer(decoded) }

    /// What a character stands for: six bits, or one of the marks below.
    private static let values: [UInt8] = (UInt8.min...UInt8.max).map { character in
        if let value = alphabet.firstIndex(of: character) { return UInt8(value) }
        switch character {
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return Mark.lineEnd
        case UInt8(ascii: "="): return Mark.padding
        default: return Mark.wrong
        }
    }

    private enum Mark {
        static let lineEnd: UInt8 = 64, padding: UInt8 = 65, wrong: UInt8 = 66
    }

    private static func decoded(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3 + 3)
        var group: UInt32 = 0
        var digits = 0
        var padding = 0
        for character in text {
            let value = values[Int(character)]
            if value < Mark.lineEnd {
                // Behind padding nothing may come.
                guard padding == 0 else { return nil }
                group = group << 6 | UInt32(value)
                digits += 1
                guard digits == 4 else { continue }
                bytes.append(UInt8(truncatingIfNeeded: group >> 16))
                bytes.append(UInt8(truncatingIfNeeded: group >> 8))
                bytes.append(UInt8(truncatingIfNeeded: group))
                (group, digits) = (0, 0)
            } else if value == Mark.padding {
                padding += 1
            } else if value == Mark.wrong {
                return nil
            }
        }
        // Bits that say nothing must be zero, or two texts would mean the same bytes.
        switch (digits, padding) {
        case (0, 0): break
        case (2, 2) where group & 0b1111 == 0: bytes.append(UInt8(truncatingIfNeeded: group >> 4))
        case (3, 1) where group & 0b11 == 0:
            bytes.append(UInt8(truncatingIfNeeded: group >> 10))
            bytes.append(UInt8(truncatingIfNeeded: group >> 2))
        default: return nil
        }
        return bytes
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The text of bytes, in one line.
    static func text(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            let group = part.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - part.count))
            for place in 0..<4 {
                text.append(place <= part.count ? alphabet[Int(group >> UInt32(18 - 6 * place) & 0x3F)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Bytes as lower-case hexadecimal digits.
enum Hexadecimal {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        let digit = { (value: UInt8) in value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10 }
        return String(decoding: bytes.flatMap { [digit($0 >> 4), digit($0 & 0x0F)] }, as: UTF8.self)
    }

    /// The bytes of a text of an even number of digits, either case; `nil` for any other.
    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        let digits = text.utf8.map { character -> UInt8? in
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
            default: nil
            }
        }
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}
