/// Random numbers for choices that need to be spread and not secret.
///
/// Source: S. Vigna, "SplitMix64", the public-domain generator that seeds xoshiro.
struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// - Parameter seed: eight bytes.
    init(seed: [UInt8]) { state = seed.reduce(0) { $0 << 8 | UInt64($1) } }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
