import JSON

/// Reads the JSON form of protocol buffers strictly: what is there must be of its type, numbers of 64 bits are texts, bytes are base64.
///
/// Source: protobuf.dev, "ProtoJSON Format". A member that is `null` counts as left out.
struct ProtobufReader {
    /// A place and what is wrong there.
    struct Mistake: Error {
        let pointer: String
        let message: String
    }

    let object: JSONObject
    let pointer: String

    /// Reads a whole document, in which members may also have the names of the protocol's own files, with `_` before a word.
    ///
    /// - Throws: ``Mistake`` for what is no object or above the limits, and for a member that is there under both names.
    init(parsing bytes: [UInt8], limits: JSONValue.Limits) throws(Mistake) {
        guard let object = try? JSONValue(parsing: bytes, limits: limits).object else {
            throw Mistake(pointer: "", message: "it is no JSON object, or too long")
        }
        self.init(try Self.camelCased(object, at: ""))
    }

    private static func camelCased(_ object: JSONObject, at pointer: String) throws(Mistake) -> JSONObject {
        // No message of these formats has as many members; an object that has is none.
        guard object.members.count <= membersMax else { return object }
        var result: JSONObject = [:]
        for member in object.members {
            let name = camelCased(member.name)
            guard result[name] == nil else { throw Mistake(pointer: pointer + "/" + name, message: "is there twice") }
            result[name] = try camelCased(member.value, at: pointer + "/" + name)
        }
        return result
    }

    private static let membersMax = 64

    private static func camelCased(_ value: JSONValue, at pointer: String) throws(Mistake) -> JSONValue {
        if let object = value.object { return .object(try camelCased(object, at: pointer)) }
        guard let array = value.array else { return value }
        var elements: [JSONValue] = []
        for (index, element) in array.enumerated() { elements.append(try camelCased(element, at: "\(pointer)/\(index)")) }
        return .array(elements)
    }

    /// `log_id` as `logId`; whatever has no `_` stays as it is.
    private static func camelCased(_ name: String) -> String {
        let words = name.split(separator: "_", omittingEmptySubsequences: false)
        return words.dropFirst().reduce(into: String(words[0])) { $0 += $1.prefix(1).uppercased() + $1.dropFirst() }
    }

    init(_ object: JSONObject, at pointer: String = "") {
        self.object = object
        self.pointer = pointer
    }

    private func value(_ name: String) -> JSONValue? {
        guard let value = object[name], !value.isNull else { return Optional.none }
        return value
    }

    func mistake(_ name: String, _ message: String) -> Mistake { Mistake(pointer: pointer + "/" + name, message: message) }

    func has(_ name: String) -> Bool { value(name) != nil }

    func string(_ name: String) throws(Mistake) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.string else { throw mistake(name, "must be a text") }
        return text
    }

    func needString(_ name: String) throws(Mistake) -> String {
        guard let text = try string(name), !text.isEmpty else { throw mistake(name, "is missing") }
        return text
    }

    func bytes(_ name: String) throws(Mistake) -> [UInt8]? {
        guard let text = try string(name) else { return nil }
        guard let bytes = Base64.bytes(text) else { throw mistake(name, "is no base64") }
        return bytes
    }

    func needBytes(_ name: String) throws(Mistake) -> [UInt8] {
        guard let bytes = try bytes(name), !bytes.isEmpty else { throw mistake(name, "is missing") }
        return bytes
    }

    /// A number of 64 bits that is not negative; 0 where it is left out, as protocol buffers have it.
    func int(_ name: String) throws(Mistake) -> Int {
        guard let value = value(name) else { return 0 }
        let number = value.int ?? value.string.flatMap { text in text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil }
        guard let number, number >= 0 else { throw mistake(name, "must be a whole number of 0 or more") }
        return number
    }

    func child(_ name: String) throws(Mistake) -> ProtobufReader? {
        guard let value = value(name) else { return nil }
        guard let object = value.object else { throw mistake(name, "must be an object") }
        return ProtobufReader(object, at: pointer + "/" + name)
    }

    func needChild(_ name: String) throws(Mistake) -> ProtobufReader {
        guard let child = try child(name) else { throw mistake(name, "is missing") }
        return child
    }

    /// The objects of an array; none where it is left out.
    func children(_ name: String, max: Int) throws(Mistake) -> [ProtobufReader] {
        guard let value = value(name) else { return [] }
        guard let array = value.array, array.count <= max else { throw mistake(name, "must be an array of at most \(max)") }
        var children: [ProtobufReader] = []
        for (index, element) in array.enumerated() {
            guard let object = element.object else { throw mistake("\(name)/\(index)", "must be an object") }
            children.append(ProtobufReader(object, at: "\(pointer)/\(name)/\(index)"))
        }
        return children
    }

    /// The byte strings of an array, each as base64.
    func bytesList(_ name: String, max: Int) throws(Mistake) -> [[UInt8]] {
        try list(name, max: max, "base64") { Base64.bytes($0) }
    }

    /// The byte strings of an array, each as hexadecimal digits.
    func hexadecimalList(_ name: String, max: Int) throws(Mistake) -> [[UInt8]] {
        try list(name, max: max, "hexadecimal number") { Hexadecimal.bytes($0) }
    }

    private func list(_ name: String, max: Int, _ kind: String, _ read: (String) -> [UInt8]?) throws(Mistake) -> [[UInt8]] {
        guard let value = value(name) else { return [] }
        guard let array = value.array, array.count <= max else { throw mistake(name, "must be an array of at most \(max)") }
        var list: [[UInt8]] = []
        for (index, element) in array.enumerated() {
            guard let bytes = element.string.flatMap(read) else { throw mistake("\(name)/\(index)", "is no \(kind)") }
            list.append(bytes)
        }
        return list
    }

    /// A span of time; `nil` where it is left out.
    func validity(_ name: String) throws(Mistake) -> (start: Moment?, end: Moment?)? {
        guard let reader = try child(name) else { return nil }
        return (try reader.moment("start"), try reader.moment("end"))
    }

    private func moment(_ name: String) throws(Mistake) -> Moment? {
        guard let text = try string(name) else { return nil }
        guard let moment = Moment(rfc3339: text) else { throw mistake(name, "is no time") }
        return moment
    }
}
