public import JSON

/// A compiled JSON Schema of draft 2020-12: immutable, usable from many threads at once.
///
/// Source: JSON Schema 2020-12, core and validation (json-schema.org/draft/2020-12). Everything is bounded by ``SchemaLimits``, because
/// schemas come from strangers; nothing is fetched: references lead only into the document itself, the documents given, and the
/// meta-schemas of 2020-12.
public struct Schema: Sendable {
    let program: SchemaProgram

    /// Compiles a schema.
    ///
    /// - Parameters:
    ///   - document: an object or a truth value.
    ///   - documents: what its references may lead to.
    /// - Throws: ``SchemaError`` when it cannot be used: an unresolvable reference, a bad pattern, an unknown dialect, a limit.
    public init(_ document: JSONValue, documents: SchemaDocuments = .none, options: SchemaOptions = SchemaOptions()) throws(SchemaError) {
        var compiler = SchemaCompiler(documents: documents, options: options)
        program = try compiler.compile(document)
    }

    /// Every violation found in an instance, at most ``SchemaLimits/violationsMax``; empty when it is valid.
    ///
    /// - Throws: ``SchemaError`` `too_expensive` when a limit was reached before there was an answer; the instance is not valid then.
    public func violations(in instance: JSONValue) throws(SchemaError) -> [SchemaViolation] {
        var evaluator = Evaluator(program)
        return try evaluator.violations(in: instance)
    }

    /// What makes a document unusable as a schema, with places in the document as `instancePointer`; empty when it can be used.
    ///
    /// Checks it against its meta-schema and compiles it. For schemas of strangers.
    public static func problems(
        of document: JSONValue, documents: SchemaDocuments = .none, options: SchemaOptions = SchemaOptions()
    ) -> [SchemaViolation] {
        do {
            var compiler = SchemaCompiler(documents: documents, options: options)
            let found = try Schema(["$ref": .string(compiler.dialectURI(of: document))], documents: documents).violations(in: document)
            if !found.isEmpty { return found }
            _ = try compiler.compile(document)
            return []
        } catch {
            return [SchemaViolation(instancePointer: error.pointer, keywordPointer: "", message: error.message)]
        }
    }
}

/// What a schema may be made of, and what checking may cost.
public struct SchemaLimits: Sendable, Hashable {
    /// Subschemas that are compiled, meta-schemas not counted. Chosen: far more than people write.
    public var subschemasMax = 10_000
    /// Subschemas inside one another while an instance is checked, references followed. Chosen: fits a stack of 2 MiB in a debug build.
    public var depthMax = 192
    /// Subschemas, members and elements looked at for one instance. Chosen: some hundred milliseconds at worst.
    public var stepsMax = 1_000_000
    /// Violations that are kept.
    public var violationsMax = 100
    /// Characters of a pattern.
    public var patternLengthMax = 2_000
    /// Instructions of a compiled pattern.
    public var patternInstructionsMax = 20_000
    /// Steps of matching one text against one pattern.
    public var patternStepsMax = 5_000_000

    /// The usual limits.
    public init() {}
}

/// How a schema is understood.
public struct SchemaOptions: Sendable, Hashable {
    /// Whether `format` is checked; else it is only a remark, as 2020-12 has it.
    public var assertsFormats: Bool
    /// The limits.
    public var limits: SchemaLimits

    /// Options.
    public init(assertsFormats: Bool = false, limits: SchemaLimits = SchemaLimits()) {
        self.assertsFormats = assertsFormats
        self.limits = limits
    }
}

/// One thing in an instance that its schema does not allow.
public struct SchemaViolation: Sendable, Hashable {
    /// The place in the instance as a JSON pointer.
    public let instancePointer: String
    /// The keyword: a JSON pointer in the schema's document, with the document's URI before a `#` where it is another one.
    public let keywordPointer: String
    /// What would be right, for people.
    public let message: String
}

/// Why a schema cannot be used, or an instance not be checked.
public struct SchemaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: String, Sendable, Hashable {
        /// A keyword holds what it cannot hold.
        case invalidKeyword = "invalid_keyword"
        /// A reference leads nowhere.
        case unresolvableReference = "unresolvable_reference"
        /// `$schema` names a dialect that is not known here, or that needs a vocabulary that is not.
        case unknownDialect = "unknown_dialect"
        /// A pattern is no regular expression of ECMA-262, or too large.
        case invalidPattern = "invalid_pattern"
        /// The schema has too many parts.
        case tooLarge = "too_large"
        /// Checking would cost more than the limits allow.
        case tooExpensive = "too_expensive"
    }

    /// What kind of failure it is.
    public let code: Code
    /// The place in the schema's document as a JSON pointer; with another document's URI before a `#`.
    public let pointer: String
    /// What is wrong, for people.
    public let message: String

    /// The code and the message.
    public var description: String { "\(code.rawValue) at '\(pointer)': \(message)" }
}

/// The documents that references may lead to.
public struct SchemaDocuments: Sendable {
    let find: @Sendable (String) -> JSONValue?

    /// No document.
    public static let none = SchemaDocuments { _ in nil }

    /// Documents found by their absolute URI without fragment.
    public init(_ lookup: @escaping @Sendable (String) -> JSONValue?) { find = lookup }

    /// Documents by their absolute URI without fragment.
    public init(_ documents: [String: JSONValue]) { find = { documents[$0] } }
}
