public import Domain
public import JSON

extension IslandCapabilities {
    /// The capabilities as they go over the link and as the coordinator stores them.
    public var json: JSONObject {
        [
            "runtimes": .array(runtimes.map(\.rawValue).sorted().map(JSONValue.string)),
            "levels": .array(levels.sorted().map { .int($0.rawValue) }), "cores": .int(cores), "memory_mb": .int(memoryMegabytes),
            "vram_mb": .int(vramMegabytes), "platform": .string(platform), "region": .string(region), "slots": .int(slots),
            "registries": .array(registries.map(JSONValue.string)),
        ]
    }

    /// Chosen: room for any platform and place.
    private static var wordsLengthMax: Int { 100 }

    /// Chosen: more than an owner approves.
    private static var registriesMax: Int { 64 }

    /// Reads capabilities; unknown runtimes and levels of a newer Island are left out.
    public init(json: JSONObject) throws(LinkError) {
        var reader = FieldReader(json, at: "/capabilities")
        let runtimes = try reader.need("runtimes", reader.strings("runtimes"))
        let levels = try reader.need("levels", reader.array("levels"))
        // An Island of an earlier version says nothing of these.
        let registries = (reader.strings("registries") ?? []).prefix(Self.registriesMax).map { String($0.prefix(Self.wordsLengthMax)) }
        try reader.requireSound()
        guard levels.allSatisfy({ $0.int != nil }) else { throw LinkError("/capabilities/levels must be whole numbers") }
        self.init(
            runtimes: Set(runtimes.compactMap(RuntimeType.init)), levels: Set(levels.compactMap { $0.int.flatMap(TrustLevel.init) }),
            cores: try reader.need("cores", reader.int("cores", in: 1...65_536)),
            memoryMegabytes: try reader.need("memory_mb", reader.int("memory_mb", in: 0...(1 << 40))),
            vramMegabytes: try reader.need("vram_mb", reader.int("vram_mb", in: 0...(1 << 40))),
            platform: try reader.need("platform", reader.string("platform", lengthMax: Self.wordsLengthMax)),
            region: try reader.need("region", reader.string("region", lengthMax: Self.wordsLengthMax)),
            slots: try reader.need("slots", reader.int("slots", in: 1...4096)), registries: registries)
    }
}

extension JobFailure {
    /// The failure as it goes over the link.
    var json: JSONObject { ["fault": .string(fault.rawValue), "code": .string(code), "message": .string(message)] }

    init(json: JSONObject) throws(LinkError) {
        var reader = FieldReader(json, at: "/failure")
        let code = try reader.need("code", reader.string("code", lengthMax: 64))
        guard code.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }) else {
            throw LinkError("/failure/code must be of a-z, 0-9 and _")
        }
        let message = try reader.need("message", reader.string("message"))
        self.init(
            fault: try reader.need("fault", reader.string("fault").flatMap(FaultClass.init)), code: code,
            message: String(message.prefix(LinkLimits.failureMessageMax)))
    }
}
