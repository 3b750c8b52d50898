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
        var isBase64 = true
        let bytes = [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3 + 2) { bytes, count in
            values.withUnsafeBufferPointer { values in
                guard let end = decode(text, values, into: bytes) else { return isBase64 = false }
                count = end
            }
        }
        return isBase64 ? bytes : nil
    }

    /// - Returns: how many bytes it has written; `nil` for a text that is no base64.
    private static func decode(
        _ text: UnsafeBufferPointer<UInt8>, _ values: UnsafeBufferPointer<UInt8>, into bytes: UnsafeMutableBufferPointer<UInt8>
    ) -> Int? {
        var end = 0
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
                bytes[end] = UInt8(truncatingIfNeeded: group >> 16)
                bytes[end + 1] = UInt8(truncatingIfNeeded: group >> 8)
                bytes[end + 2] = UInt8(truncatingIfNeeded: group)
                end += 3
                (group, digits) = (0, 0)
            } else if value == Mark.padding {
                padding += 1
            } else if value == Mark.wrong {
                return nil
            }
        }
        // Bits that say nothing must be zero, or two texts would mean the same bytes.
        switch (digits, padding) {
        case (0, 0): return end
        case (2, 2) where group & 0b1111 == 0:
            bytes[end] = UInt8(truncatingIfNeeded: group >> 4)
            return end + 1
        case (3, 1) where group & 0b11 == 0:
            bytes[end] = UInt8(truncatingIfNeeded: group >> 10)
            bytes[end + 1] = UInt8(truncatingIfNeeded: group >> 2)
            return end + 2
        default: return nil
        }
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The text of bytes, in one line.
    static func text(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { text in
            alphabet.withUnsafeBufferPointer { alphabet in
                var end = 0
                for start in stride(from: 0, to: bytes.count, by: 3) {
                    let count = min(3, bytes.count - start)
                    let group =
                        UInt32(bytes[start]) << 16 | (count > 1 ? UInt32(bytes[start + 1]) << 8 : 0) | (count > 2 ? UInt32(bytes[start + 2]) : 0)
                    text[end] = alphabet[Int(group >> 18)]
                    text[end + 1] = alphabet[Int(group >> 12 & 0x3F)]
                    text[end + 2] = count > 1 ? alphabet[Int(group >> 6 & 0x3F)] : UInt8(ascii: "=")
                    text[end + 3] = count > 2 ? alphabet[Int(group & 0x3F)] : UInt8(ascii: "=")
                    end += 4
                }
                return end
            }
        }
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
