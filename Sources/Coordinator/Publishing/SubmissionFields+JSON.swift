public import Domain
public import JSON

extension SubmissionFields {
    /// Reads the fields of a request body or a stored document; names are those of the product's documentation.
    ///
    /// - Returns: what could be read, and everything of a wrong type or unknown name.
    public static func read(_ object: JSONObject) -> (fields: SubmissionFields, problems: [Problem]) {
        var reader = FieldReader(object)
        var fields = SubmissionFields()
        fields.name = reader.string("name")
        fields.slug = reader.string("slug")
        fields.summary = reader.string("description")
        fields.runtimeType = reader.string("runtime_type")
        fields.containerImage = reader.string("container_image")
        fields.inputSchema = schema("input_schema", &reader)
        fields.outputSchema = schema("output_schema", &reader)
        fields.pricePerJob = reader.int("price_per_job")
        fields.pricePerToken = reader.int("price_per_token")
        fields.pricePerSecond = reader.int("price_per_second")
        fields.requiredVRAMMegabytes = reader.int("required_vram_mb")
        fields.requiredCPUCores = reader.int("required_cpu_cores")
        fields.requiredRAMMegabytes = reader.int("required_ram_mb")
        fields.category = reader.string("category")
        fields.tags = reader.strings("tags")
        fields.revenueShare = reader.int("revenue_share")
        fields.imageDigest = reader.string("image_digest")
        fields.version = reader.string("version")
        reader.refuseUnknown()
        return (fields, reader.mistakes.map(Problem.init))
    }

    /// A JSON Schema is an object or a truth value (JSON Schema 2020-12, core §4.3).
    private static func schema(_ name: String, _ reader: inout FieldReader) -> String? {
        guard let value = reader.value(name) else { return nil }
        switch value {
        case .object, .bool: return value.text
        case .null, .number, .string, .array:
            reader.note(name, "must be a JSON Schema (an object), not \(value.kind)")
            return nil
        }
    }

    /// The fields as a document of the same names; what was not said is left out.
    public var json: JSONObject {
        var object = JSONObject()
        let texts = [
            ("name", name), ("slug", slug), ("description", summary), ("runtime_type", runtimeType), ("container_image", containerImage),
            ("category", category), ("image_digest", imageDigest), ("version", version),
        ]
        for case (let key, let value?) in texts { object[key] = .string(value) }
        let numbers = [
            ("price_per_job", pricePerJob), ("price_per_token", pricePerToken), ("price_per_second", pricePerSecond),
            ("required_vram_mb", requiredVRAMMegabytes), ("required_cpu_cores", requiredCPUCores),
            ("required_ram_mb", requiredRAMMegabytes), ("revenue_share", revenueShare),
        ]
        for case (let key, let value?) in numbers { object[key] = .int(value) }
        object["tags"] = tags.map { .array($0.map(JSONValue.string)) }
        object["input_schema"] = inputSchema.flatMap(Self.parsed)
        object["output_schema"] = outputSchema.flatMap(Self.parsed)
        return object
    }

    private static func parsed(_ text: String) -> JSONValue? {
        // The text was written by `schema` above from a parsed value, so it always parses again.
        try? JSONValue(parsing: text)
    }

    /// These fields with those of `patch` that were said.
    func merging(_ patch: SubmissionFields) -> SubmissionFields {
        var merged = json
        for member in patch.json.members { merged[member.name] = member.value }
        return Self.read(merged).fields
    }
}
