import JSON

/// Published Cargos in lines for people.
enum CargoLines {
    static func table(_ cargos: [JSONValue]) -> Table {
        Table(
            [
                .left("CARGO"), .left("VERSION"), .right("LEVEL"), .left("TIER"), .left("VERIFIED"), .right("JOBS"), .left("PRICE"),
                .clipped("DESCRIPTION"),
            ],
            cargos.map { cargo in
                [
                    cargo["slug"].words, cargo["version"].words, cargo["trust_level"].words, cargo["tier"].words, cargo["verified"].words,
                    cargo["stats"]?["jobs_completed"].words ?? "-", price(cargo), cargo["description"].words,
                ]
            })
    }

    static func versions(_ versions: [JSONValue]) -> Table {
        Table(
            [.left(""), .left("VERSION"), .left("STATE"), .right("LEVEL"), .left("TIER"), .left("PUBLISHED"), .left("DIGEST")],
            versions.map { version in
                [
                    version["is_current"]?.bool == true ? "*" : "", version["version"].words, version["state"].words,
                    version["trust_level"].words, version["tier"].words, Moment.words(version["published_at"]), version["image_digest"].words,
                ]
            })
    }

    /// How many Cargos match by each facet's values.
    static func facets(_ facets: JSONValue) -> [String] {
        (facets.object?.members ?? []).flatMap { facet -> [String] in
            let counts = facet.value.object?.members ?? []
            if counts.isEmpty { return [] }
            return ["", facet.name] + Table([.left("VALUE"), .right("CARGOS")], counts.map { [$0.name, $0.value.words] }).lines(indentation: 2)
        }
    }

    /// One Cargo with all that is told of it.
    static func page(_ cargo: JSONValue) -> [String] {
        let stats = cargo["stats"]
        let head = FieldList.lines(
            [
                ("Cargo", "\(cargo["slug"].words) \(cargo["version"].words)"), ("name", cargo["name"].words),
                ("description", cargo["description"].words), ("publisher", publisher(cargo["publisher"])),
                ("level", "\(cargo["trust_level"].words) (\(cargo["tier"].words))"), ("verified", cargo["verified"].words),
                ("signed by", signature(cargo["signature"])),
                ("in use", cargo["is_enabled"].wordsIfAny), ("runtime", cargo["runtime_type"].words), ("price", price(cargo)),
                ("needs", needs(cargo)), ("limits", limits(cargo["resources"])), ("category", cargo["category"].wordsIfAny),
                ("tags", cargo["tags"].wordsIfAny), ("reputation", cargo["reputation"].wordsIfAny),
                ("jobs", "\(stats?["jobs_completed"].words ?? "-") done, \(stats?["jobs_failed"].words ?? "-") failed"),
                ("published", Moment.words(cargo["published_at"])), ("image", cargo["container_image"].words),
                ("digest", cargo["image_digest"].words),
            ], indentation: 0)
        return head + schema("Input", cargo["input_schema"]) + schema("Output", cargo["output_schema"])
    }

    private static func schema(_ title: String, _ schema: JSONValue?) -> [String] {
        guard let schema, !schema.isNull else { return [] }
        return ["", "\(title) schema", schema.indentedText]
    }

    private static func signature(_ signature: JSONValue?) -> String? {
        guard let signature, !signature.isNull else { return nil }
        let doubt = signature["verified"]?.bool == true ? "" : " (revoked since)"
        return "\(signature["signer"].words)\(doubt), log entry \(signature["log_index"].words), \(Moment.words(signature["signed_at"]))"
    }

    private static func publisher(_ publisher: JSONValue?) -> String? {
        publisher.map { "\($0["name"].words)\($0["verified"]?.bool == true ? " (verified)" : "")" }
    }

    /// What a job costs, in credits.
    static func price(_ cargo: JSONValue) -> String {
        let parts = [("job", "price_per_job"), ("token", "price_per_token"), ("second", "price_per_second")].compactMap { unit, name in
            cargo[name]?.double.flatMap { $0 == 0 ? nil : "\(cargo[name].words)/\(unit)" }
        }
        return parts.isEmpty ? "free" : parts.joined(separator: " + ")
    }

    private static func needs(_ cargo: JSONValue) -> String? {
        let units = [("required_ram_mb", "MB memory"), ("required_cpu_cores", "CPU"), ("required_vram_mb", "MB GPU memory")]
        let parts = units.compactMap { name, unit in
            cargo[name]?.int.flatMap { $0 == 0 ? nil : "\($0) \(unit)" }
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    private static func limits(_ resources: JSONValue?) -> String? {
        guard let resources, !resources.isNull else { return nil }
        let rights = [("network", "network"), ("gpu", "GPU")].map { "\($0.1) \(resources[$0.0]?.bool == true ? "on" : "off")" }
        return "\(resources["memory_mb"].words) MB memory, \(resources["timeout_seconds"].words) s, \(resources["cpus"].words) CPU, "
            + rights.joined(separator: ", ") + ", sandbox \(resources["sandbox_profile"].words)"
    }
}
