/// A property of characters that patterns name as `\p{…}`.
struct UnicodeProperty: Sendable {
    let holds: @Sendable (Unicode.Scalar) -> Bool

    private static let categories: [String: [Unicode.GeneralCategory]] = {
        let table: [(String, String, [Unicode.GeneralCategory])] = [
            ("L", "Letter", [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter]),
            ("LC", "Cased_Letter", [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter]), ("Lu", "Uppercase_Letter", [.uppercaseLetter]),
            ("Ll", "Lowercase_Letter", [.lowercaseLetter]), ("Lt", "Titlecase_Letter", [.titlecaseLetter]),
            ("Lm", "Modifier_Letter", [.modifierLetter]), ("Lo", "Other_Letter", [.otherLetter]),
            ("M", "Mark", [.nonspacingMark, .spacingMark, .enclosingMark]), ("Mn", "Nonspacing_Mark", [.nonspacingMark]),
            ("Mc", "Spacing_Mark", [.spacingMark]), ("Me", "Enclosing_Mark", [.enclosingMark]),
            ("N", "Number", [.decimalNumber, .letterNumber, .otherNumber]), ("Nd", "Decimal_Number", [.decimalNumber]),
            ("Nl", "Letter_Number", [.letterNumber]), ("No", "Other_Number", [.otherNumber]),
            (
                "P", "Punctuation",
                [
                    .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
                    .otherPunctuation,
                ]
            ),
            ("Pc", "Connector_Punctuation", [.connectorPunctuation]), ("Pd", "Dash_Punctuation", [.dashPunctuation]),
            ("Ps", "Open_Punctuation", [.openPunctuation]), ("Pe", "Close_Punctuation", [.closePunctuation]),
            ("Pi", "Initial_Punctuation", [.initialPunctuation]), ("Pf", "Final_Punctuation", [.finalPunctuation]),
            ("Po", "Other_Punctuation", [.otherPunctuation]),
            ("S", "Symbol", [.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol]), ("Sm", "Math_Symbol", [.mathSymbol]),
            ("Sc", "Currency_Symbol", [.currencySymbol]), ("Sk", "Modifier_Symbol", [.modifierSymbol]), ("So", "Other_Symbol", [.otherSymbol]),
            ("Z", "Separator", [.spaceSeparator, .lineSeparator, .paragraphSeparator]), ("Zs", "Space_Separator", [.spaceSeparator]),
            ("Zl", "Line_Separator", [.lineSeparator]), ("Zp", "Paragraph_Separator", [.paragraphSeparator]),
            ("C", "Other", [.control, .format, .surrogate, .privateUse, .unassigned]), ("Cc", "Control", [.control]), ("Cf", "Format", [.format]),
            ("Cs", "Surrogate", [.surrogate]), ("Co", "Private_Use", [.privateUse]), ("Cn", "Unassigned", [.unassigned]),
        ]
        var all: [String: [Unicode.GeneralCategory]] = [:]
        for (short, long, categories) in table { (all[short], all[long]) = (categories, categories) }
        for (name, same) in [("digit", "Nd"), ("punct", "P"), ("cntrl", "Cc"), ("Combining_Mark", "M")] { all[name] = all[same] }
        return all
    }()

    private static let binary: [String: @Sendable (Unicode.Scalar) -> Bool] = [
        "Any": { _ in true }, "ASCII": { $0.isASCII }, "Assigned": { $0.properties.generalCategory != .unassigned },
        "Alphabetic": { $0.properties.isAlphabetic }, "Alpha": { $0.properties.isAlphabetic }, "Lowercase": { $0.properties.isLowercase },
        "Lower": { $0.properties.isLowercase }, "Uppercase": { $0.properties.isUppercase }, "Upper": { $0.properties.isUppercase },
        "White_Space": { $0.properties.isWhitespace }, "space": { $0.properties.isWhitespace }, "Emoji": { $0.properties.isEmoji },
        "Emoji_Presentation": { $0.properties.isEmojiPresentation }, "Emoji_Modifier": { $0.properties.isEmojiModifier },
        "Emoji_Modifier_Base": { $0.properties.isEmojiModifierBase }, "ID_Start": { $0.properties.isIDStart },
        "ID_Continue": { $0.properties.isIDContinue }, "XID_Start": { $0.properties.isXIDStart }, "XID_Continue": { $0.properties.isXIDContinue },
        "Ideographic": { $0.properties.isIdeographic }, "Math": { $0.properties.isMath }, "Hex_Digit": { $0.properties.isHexDigit },
        "ASCII_Hex_Digit": { $0.properties.isASCIIHexDigit }, "Dash": { $0.properties.isDash }, "Diacritic": { $0.properties.isDiacritic },
        "Cased": { $0.properties.isCased }, "Case_Ignorable": { $0.properties.isCaseIgnorable }, "Extender": { $0.properties.isExtender },
        "Default_Ignorable_Code_Point": { $0.properties.isDefaultIgnorableCodePoint }, "Quotation_Mark": { $0.properties.isQuotationMark },
        "Variation_Selector": { $0.properties.isVariationSelector }, "Noncharacter_Code_Point": { $0.properties.isNoncharacterCodePoint },
    ]

    /// Main blocks of scripts that patterns name most. Source: Unicode 15, Scripts.txt, its larger ranges; the standard library has no scripts.
    private static let scripts: [String: [ClosedRange<UInt32>]] = [
        "Latin": [
            0x41...0x5A, 0x61...0x7A, 0xAA...0xAA, 0xBA...0xBA, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x2B8, 0x2E0...0x2E4, 0x1D00...0x1D25,
            0x1E00...0x1EFF,
            0x2C60...0x2C7F, 0xA722...0xA787, 0xFB00...0xFB06, 0xFF21...0xFF3A, 0xFF41...0xFF5A,
        ],
        "Greek": [
            0x370...0x373, 0x375...0x377, 0x37A...0x37D, 0x37F...0x37F, 0x384...0x384, 0x386...0x386, 0x388...0x3E1, 0x3F0...0x3FF, 0x1F00...0x1FFE,
        ],
        "Cyrillic": [0x400...0x484, 0x487...0x52F, 0x1C80...0x1C88, 0x1D2B...0x1D2B, 0x2DE0...0x2DFF, 0xA640...0xA69F],
        "Armenian": [0x531...0x556, 0x559...0x58A], "Hebrew": [0x591...0x5F4, 0xFB1D...0xFB4F],
        "Arabic": [
            0x600...0x604, 0x606...0x60B, 0x60D...0x61A, 0x61C...0x61E, 0x620...0x63F, 0x641...0x64A, 0x656...0x66F, 0x671...0x6DC, 0x6DE...0x6FF,
            0x750...0x77F, 0xFB50...0xFDFF, 0xFE70...0xFEFC,
        ],
        "Devanagari": [0x900...0x950, 0x955...0x963, 0x966...0x97F, 0xA8E0...0xA8FF], "Bengali": [0x980...0x9FE], "Tamil": [0xB82...0xBFA],
        "Thai": [0xE01...0xE3A, 0xE40...0xE5B], "Georgian": [0x10A0...0x10FA, 0x10FC...0x10FF, 0x1C90...0x1CBF, 0x2D00...0x2D2D],
        "Hangul": [0x1100...0x11FF, 0x3131...0x318E, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xD7B0...0xD7FB, 0xFFA0...0xFFDC],
        "Hiragana": [0x3041...0x3096, 0x309D...0x309F, 0x1B001...0x1B11F],
        "Katakana": [0x30A1...0x30FA, 0x30FD...0x30FF, 0x31F0...0x31FF, 0xFF66...0xFF6F, 0xFF71...0xFF9D],
        "Han": [
            0x2E80...0x2E99, 0x2E9B...0x2EF3, 0x2F00...0x2FD5, 0x3005...0x3005, 0x3007...0x3007, 0x3021...0x3029, 0x3038...0x303B, 0x3400...0x4DBF,
            0x4E00...0x9FFF, 0xF900...0xFAD9, 0x20000...0x323AF,
        ],
    ]

    private static let scriptCodes = [
        "Latn": "Latin", "Grek": "Greek", "Cyrl": "Cyrillic", "Armn": "Armenian", "Hebr": "Hebrew", "Arab": "Arabic", "Deva": "Devanagari",
        "Beng": "Bengali", "Taml": "Tamil", "Geor": "Georgian", "Hang": "Hangul", "Hira": "Hiragana", "Kana": "Katakana", "Hani": "Han",
    ]

    /// The property of a name such as `Lu`, `Letter`, `Script=Greek`; `nil` for one that is not known here.
    init?(_ name: String) {
        let parts = name.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1:
            if let categories = Self.categories[name] {
                holds = { categories.contains($0.properties.generalCategory) }
            } else if let test = Self.binary[name] {
                holds = test
            } else {
                return nil
            }
        case 2 where ["General_Category", "gc"].contains(parts[0]):
            guard let categories = Self.categories[parts[1]] else { return nil }
            holds = { categories.contains($0.properties.generalCategory) }
        case 2 where ["Script", "sc", "Script_Extensions", "scx"].contains(parts[0]):
            guard let ranges = Self.scripts[Self.scriptCodes[parts[1]] ?? parts[1]] else { return nil }
            holds = { scalar in ranges.contains { $0.contains(scalar.value) } }
        default: return nil
        }
    }
}
