/// Which labels may stand together in a name with letters that are written from right to left. Source: RFC 5893 §2.
enum BidirectionalRule {
    private enum Direction { case left, right, arabicNumber, number, mark, neutral }

    /// The directions of the main blocks. Source: Unicode 15, DerivedBidiClass.txt, its larger ranges; the standard library has none.
    private static func direction(of scalar: Unicode.Scalar) -> Direction {
        if [.nonspacingMark, .enclosingMark].contains(scalar.properties.generalCategory) { return .mark }
        switch scalar.value {
        case 0x30...0x39, 0x6F0...0x6F9: return .number
        case 0x660...0x669, 0x66B...0x66C, 0x6DD, 0x10D30...0x10D39, 0x10E60...0x10E7E: return .arabicNumber
        case 0x590...0x8FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFF, 0x10800...0x10FFF, 0x1E800...0x1EFFF: return .right
        default: return scalar.properties.isAlphabetic ? .left : .neutral
        }
    }

    static func allows(_ labels: [[Unicode.Scalar]]) -> Bool {
        let directions = labels.map { $0.map(direction) }
        guard directions.contains(where: { $0.contains(.right) || $0.contains(.arabicNumber) }) else { return true }
        return directions.allSatisfy(isAllowed)
    }

    private static func isAllowed(_ label: [Direction]) -> Bool {
        let last = label.last { $0 != .mark }
        switch label.first {
        case .right:
            let mixes = label.contains(.number) && label.contains(.arabicNumber)
            return !label.contains(.left) && !mixes && [.right, .number, .arabicNumber].contains(last)
        case .left: return !label.contains(.right) && !label.contains(.arabicNumber) && [.left, .number].contains(last)
        case .arabicNumber, .number, .mark, .neutral, nil: return false
        }
    }
}
