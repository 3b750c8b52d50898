/// Where in a message something stands.
struct ProtobufPlace: Hashable {
    /// The message, by its number in the schema; -1 outside the outermost one.
    let message: Int
    /// The field's number.
    let field: Int
    /// The offset of the field in the file, in bytes.
    let offset: Int
}

/// What looks at a file's contents while it is walked over.
protocol ProtobufVisitor {
    /// A message begins, in the field of another.
    mutating func enter(_ message: Int, at place: ProtobufPlace) throws(ScanFailure)
    /// An integer, as its 64 bits; each of a packed row by itself.
    mutating func number(_ value: UInt64, at place: ProtobufPlace) throws(ScanFailure)
    /// A name or text.
    mutating func text(_ text: String, at place: ProtobufPlace) throws(ScanFailure)
    /// Bytes of a known field were passed over.
    mutating func passed(_ count: Int, as use: PassedBytes, at place: ProtobufPlace) throws(ScanFailure)
    /// A message ends.
    mutating func leave(_ message: Int, at place: ProtobufPlace) throws(ScanFailure)
}

/// Walks over a file of protocol buffers, message by message, and shows a visitor what is in it. Nothing is kept.
///
/// Stricter than parsers have to be, so that no parser can see something else: a field that may occur once occurs once, and every field is
/// written as its type demands. Fields that the schema does not know are unexplained bytes.
struct ProtobufWalker<Visitor: ProtobufVisitor> {
    private let schema: ProtobufSchema
    private let limits: ProtobufLimits
    private let source: ArtifactBytes
    private var fields = 0
    private(set) var visitor: Visitor

    init(schema: ProtobufSchema, limits: ProtobufLimits, source: ArtifactBytes, visitor: Visitor) {
        self.schema = schema
        self.limits = limits
        self.source = source
        self.visitor = visitor
    }

    /// Walks over the whole file, whose outermost message is the schema's first.
    mutating func walk() throws(ScanFailure) {
        try message(0, 0..<source.count, at: ProtobufPlace(message: -1, field: 0, offset: 0), depth: 1)
    }

    private mutating func message(_ index: Int, _ range: Range<Int>, at place: ProtobufPlace, depth: Int) throws(ScanFailure) {
        var cursor = ProtobufCursor(source, range)
        guard depth <= limits.nestingMax else { throw cursor.expected("at most \(limits.nestingMax) messages inside one another") }
        try visitor.enter(index, at: place)
        // The fields seen that may occur once. A message of the schema has at most some hundred.
        var seen: Set<Int> = []
        while !cursor.isAtEnd {
            let start = cursor.offset
            fields += 1
            guard fields <= limits.fieldsMax else { throw cursor.expected("at most \(limits.fieldsMax) fields") }
            let (number, wire) = try cursor.tag()
            guard let field = schema.messages[index].fields[number] else {
                try unknown(wire, &cursor)
                source.note(cursor.offset - start, as: .opaque)
                continue
            }
            if !field.isRepeated, !seen.insert(number).inserted {
                throw cursor.expected("field \(number) of \(schema.messages[index].name) once", at: start)
            }
            let place = ProtobufPlace(message: index, field: number, offset: start)
            if case .message(let child) = field.content {
                guard wire == .bytes else { throw wrong(wire, place) }
                try message(child, try cursor.range(schema.messages[child].name), at: place, depth: depth + 1)
            } else {
                try value(field, wire, &cursor, at: place)
            }
        }
        try visitor.leave(index, at: place)
    }

    private func unknown(_ wire: ProtobufCursor.Wire, _ cursor: inout ProtobufCursor) throws(ScanFailure) {
        switch wire {
        case .varint: _ = try cursor.varint("a number")
        case .fixed32: try cursor.move(by: 4, "a number")
        case .fixed64: try cursor.move(by: 8, "a number")
        case .bytes: _ = try cursor.range("an unknown field")
        }
    }

    private mutating func value(
        _ field: ProtobufSchema.Field, _ wire: ProtobufCursor.Wire, _ cursor: inout ProtobufCursor, at place: ProtobufPlace
    ) throws(ScanFailure) {
        switch (field.content, wire) {
        case (.varint, .varint): try visitor.number(try cursor.varint("a number"), at: place)
        case (.fixed32, .fixed32): try fixed(4, field, &cursor)
        case (.fixed64, .fixed64): try fixed(8, field, &cursor)
        case (.varint, .bytes), (.fixed32, .bytes), (.fixed64, .bytes):
            guard field.isRepeated else { throw wrong(wire, place) }
            try packed(field, try cursor.range("packed numbers"), at: place)
        case (.name, .bytes): try name(try cursor.range("a name"), at: place)
        case (.prose, .bytes), (.bytes, .bytes): try text(field, try cursor.range("a text"), at: place)
        default: throw wrong(wire, place)
        }
    }

    private func fixed(_ count: Int, _ field: ProtobufSchema.Field, _ cursor: inout ProtobufCursor) throws(ScanFailure) {
        try cursor.move(by: count, "a number")
        if field.isWeights { source.note(count, as: .weights) }
    }

    private mutating func packed(_ field: ProtobufSchema.Field, _ range: Range<Int>, at place: ProtobufPlace) throws(ScanFailure) {
        let size = field.content == .fixed32 ? 4 : field.content == .fixed64 ? 8 : 1
        guard range.count.isMultiple(of: size) else {
            throw .malformed(source.name, at: range.lowerBound, expected: "packed numbers of \(size) bytes each")
        }
        guard field.content == .varint, !field.isWeights, range.count <= limits.packedBytesMax else { return try pass(range, .weights, at: place) }
        var cursor = ProtobufCursor(source, range)
        while !cursor.isAtEnd { try visitor.number(try cursor.varint("a number"), at: place) }
    }

    private mutating func name(_ range: Range<Int>, at place: ProtobufPlace) throws(ScanFailure) {
        guard range.count <= limits.nameBytesMax else {
            throw .malformed(source.name, at: range.lowerBound, expected: "a name of at most \(limits.nameBytesMax) bytes, not \(range.count)")
        }
        guard let text = String(validating: try source.bytes(range), as: UTF8.self) else {
            throw .malformed(source.name, at: range.lowerBound, expected: "a name in UTF-8")
        }
        try visitor.text(text, at: place)
    }

    /// Texts are UTF-8; bytes may be, and then they are as good as a text.
    private mutating func text(_ field: ProtobufSchema.Field, _ range: Range<Int>, at place: ProtobufPlace) throws(ScanFailure) {
        if field.isWeights { return try pass(range, .weights, at: place) }
        guard range.count <= limits.textBytesMax else { return try pass(range, .opaque, at: place) }
        if let text = String(validating: try source.bytes(range), as: UTF8.self) { return try visitor.text(text, at: place) }
        guard field.content == .bytes else { throw .malformed(source.name, at: range.lowerBound, expected: "a text in UTF-8") }
        try pass(range, .opaque, at: place)
    }

    private mutating func pass(_ range: Range<Int>, _ use: PassedBytes, at place: ProtobufPlace) throws(ScanFailure) {
        source.note(range.count, as: use)
        try visitor.passed(range.count, as: use, at: place)
    }

    private func wrong(_ wire: ProtobufCursor.Wire, _ place: ProtobufPlace) -> ScanFailure {
        .malformed(
            source.name, at: place.offset,
            expected: "field \(place.field) of \(schema.messages[place.message].name) as its type is written, not as wire type \(wire.rawValue)")
    }
}
