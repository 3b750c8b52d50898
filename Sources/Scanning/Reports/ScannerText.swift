/// What a scanner prints, made fit for a log.
enum ScannerText {
    /// The longest line kept, in characters.
    ///
    /// Chosen: the longest last lines of Trivy's errors in the fixtures are about 500 characters, and say the cause first.
    static let lineCharactersMax = 400

    /// Returns the text as one line without control characters, cut after `lineCharactersMax` characters.
    static func oneLine(_ text: String) -> String {
        var line = ""
        var length = 0
        var lastWasSpace = true
        for scalar in text.unicodeScalars {
            guard length < lineCharactersMax else {
                line += "…"
                break
            }
            if isSpace(scalar) {
                if lastWasSpace { continue }
                line.unicodeScalars.append(" ")
                lastWasSpace = true
            } else {
                line.unicodeScalars.append(scalar)
                lastWasSpace = false
            }
            length += 1
        }
        return line
    }

    /// Control, format (such as right-to-left marks) and separator characters are shown as a space.
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate, .privateUse, .unassigned: true
        default: false
        }
    }
}
