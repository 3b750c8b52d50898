/// The system that an image is made for. Source: OCI image specification 1.1, image-index.md, "platform".
public struct Platform: Hashable, Sendable, Codable, CustomStringConvertible {
    /// Operating system in Go's words: `linux`, `windows`.
    public let os: String
    /// Processor in Go's words: `amd64`, `arm64`.
    public let architecture: String
    /// Variant of the processor (`v7`, `v8`), or `nil`.
    public let variant: String?

    /// Makes a platform.
    ///
    /// - Parameters:
    ///   - os: operating system in Go's words.
    ///   - architecture: processor in Go's words.
    ///   - variant: variant of the processor, or `nil`.
    public init(os: String, architecture: String, variant: String? = nil) {
        self.os = os
        self.architecture = architecture
        self.variant = variant
    }

    /// 64-bit x86 Linux.
    public static let linuxAMD64 = Platform(os: "linux", architecture: "amd64")
    /// 64-bit Arm Linux.
    public static let linuxARM64 = Platform(os: "linux", architecture: "arm64", variant: "v8")

    /// `os/architecture[/variant]`, made printable.
    public var description: String {
        OCIError.printable("\(os)/\(architecture)" + (variant.map { "/\($0)" } ?? ""))
    }

    /// Whether an image for this platform runs on `host`.
    ///
    /// Same system and processor; the variants equal after filling in the default `v8` of arm64. 32-bit Arm needs the same variant.
    ///
    /// - Parameter host: the machine's platform.
    public func runs(on host: Platform) -> Bool {
        os == host.os && architecture == host.architecture && normalVariant == host.normalVariant
    }

    private var normalVariant: String? {
        switch (architecture, variant) {
        case ("arm64", nil), ("arm64", ""): "v8"
        case ("amd64", "v1"), ("amd64", ""): nil
        default: variant
        }
    }
}
