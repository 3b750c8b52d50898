public import Domain
public import JSON

extension IslandCapabilities {
    /// The capabilities as they go over the link and as the coordinator stores them.
    public var json: JSONObject {
        [
            "runtimes": .array(runtimes.map(\.rawValue).sorted().map(JSONValue.string)),
            "levels": .array(levels.sorted().map { .int($0.rawValue) }), "cores": .int(cores), "memory_mb": .int(memoryMegabytes),
            "vram_mb": .int(vramMegabytes), "platform": .string(platform), "region": .string(region), "slots": .int(slots),
        ]
    }

    /// Reads capabilities; unknown runtimes and levels of a newer Island are left out.
    public init(json: JSONObject) throws(LinkError) {
        var reader = FieldReader(json, at: "/capabilities")
        let runtimes = try reader.need("runtimes", reader.strings("runtimes"))
        let levels = try reader.need("levels", reader.array("levels"))
        self.init(
            runtimes: Set(runtimes.compactMap(RuntimeType.init)), levels: Set(levels.compactMap { $0.int.flatMap(TrustLevel.init) }),
            cores: try reader.need("cores", reader.int("cores", in: 1...65_536)),
            memoryMegabytes: try reader.need("memory_mb", reader.int("memory_mb", in: 0...(1 << 40))),
            vramMegabytes: try reader.need("vram_mb", reader.int("vram_mb", in: 0...(1 << 40))),
            platform: try reader.need("platform", reader.string("platform")),
            region: try reader.need("region", reader.string("region")),
            slots: try reader.need("slots", reader.int("slots", in: 1...4096)))
    }
}

extension JobFailure {
    /// The failure as it goes over the link.
    var json: JSONObject { ["fault": .string(fault.rawValue), "code": .string(code), "message": .string(message)] }

    init(json: JSONObject) throws(LinkError) {
        var reader = FieldReader(json, at: "/failure")
        self.init(
            fault: try reader.need("fault", reader.string("fault").flatMap(FaultClass.init)),
            code: try reader.need("code", reader.string("code")), message: try reader.need("message", reader.string("message")))
    }
}
