/// Texts out of an artifact, made fit to be shown to people.
enum ArtifactText {
    /// The longest text shown, in Unicode scalars.
    ///
    /// Chosen: one or two lines of a terminal; every name that a tool writes by itself fits.
    static let charactersMax = 200

    /// Returns the text as one line without control or invisible characters, at most ``charactersMax`` scalars; what is left out shows as
    /// `…`.
    static func shown(_ text: String) -> String {
        // Four bytes a scalar at most: what lies behind is cut off anyway, and is not looked at.
        let start = String(decoding: text.utf8.prefix(4 * (charactersMax + 1)), as: UTF8.self)
        let scalars = ScannerText.oneLine(start).unicodeScalars
        guard scalars.count > charactersMax || start.utf8.count < text.utf8.count else { return String(scalars) }
        return String(String.UnicodeScalarView(scalars.prefix(charactersMax - 1))) + "…"
    }

    /// Returns the names in one text, cut as above.
    static func list(_ names: some Sequence<String>) -> String { shown(names.joined(separator: ", ")) }
}

/// The first of many names, and how many there are.
struct ArtifactNames: Hashable {
    private(set) var first: [String] = []
    private(set) var count = 0

    /// How many are kept. Chosen: models and modules have a handful; more say little to a reader.
    static let keptMax = 50

    mutating func add(_ name: String) {
        count += 1
        if first.count < Self.keptMax { first.append(name) }
    }
}
