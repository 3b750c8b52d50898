// swift-tools-version: 6.2
import PackageDescription

// Versions are exact and Package.resolved is not committed: package copies differ from place to place.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// What reads strangers' documents is fast in a debug build too: the time of a hostile body is a promise of the server.
let optimised: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

func product(_ name: String, _ package: String) -> Target.Dependency { .product(name: name, package: package) }

let package = Package(
    name: "archipelago",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "archipelago", targets: ["archipelago"]),
        .executable(name: "archipelago-cage-entry", targets: ["CageEntry"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
    ],
    targets: [
        // Layer 0: rules. Pure values and functions.
        .target(name: "JSON", swiftSettings: optimised),
        .target(name: "Domain", swiftSettings: strict),
        .target(name: "CargoIO", dependencies: ["JSON"], swiftSettings: strict),
        .target(name: "JSONSchema", dependencies: ["JSON"], swiftSettings: optimised),

        // Layer 1: mechanisms.
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .target(
            name: "OCI",
            dependencies: [
                "CArchive", product("AsyncHTTPClient", "async-http-client"), product("Crypto", "swift-crypto"),
                product("NIOCore", "swift-nio"), product("NIOHTTP1", "swift-nio"),
            ], swiftSettings: strict),
        .target(
            name: "Scanning", dependencies: ["Domain", product("SystemPackage", "swift-system")],
            swiftSettings: optimised),
        .target(name: "SandboxKernel"),
        .target(name: "Sandbox", dependencies: ["Domain", "SandboxKernel"], swiftSettings: strict),
        .target(
            name: "Storage", dependencies: [product("GRDB", "GRDB.swift"), product("GRDBSQLite", "GRDB.swift")], swiftSettings: strict),
        .target(name: "Fabric", swiftSettings: strict),
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .target(name: "Passwords", dependencies: ["CSodium"], swiftSettings: strict),
        .systemLibrary(name: "CNettle", pkgConfig: "hogweed", providers: [.apt(["nettle-dev"])]),
        .target(
            name: "Sigstore",
            dependencies: [
                "JSON", "CNettle", "CSodium", product("Crypto", "swift-crypto"), product("CryptoExtras", "swift-crypto"),
                product("SwiftASN1", "swift-asn1"), product("X509", "swift-certificates"),
            ], swiftSettings: optimised),
        .target(name: "SignedImages", dependencies: ["JSON", "OCI", "Sigstore"], swiftSettings: strict),
        .target(
            name: "Outbound",
            dependencies: [
                product("AsyncHTTPClient", "async-http-client"), product("NIOCore", "swift-nio"), product("NIOHTTP1", "swift-nio"),
                product("Subprocess", "swift-subprocess"), product("SystemPackage", "swift-system"),
            ], swiftSettings: strict),
        .target(
            name: "WebSockets",
            dependencies: [
                product("NIOCore", "swift-nio"), product("NIOHTTP1", "swift-nio"), product("NIOPosix", "swift-nio"),
            ], swiftSettings: strict),

        // Layer 2: services.
        .target(name: "IslandLink", dependencies: ["JSON", "Domain"], swiftSettings: strict),
        .target(
            name: "Coordinator",
            dependencies: [
                "JSON", "Domain", "CargoIO", "JSONSchema", "OCI", "Scanning", "Storage", "Fabric", "Passwords", "Outbound", "Sigstore",
                "SignedImages", "IslandLink", product("Crypto", "swift-crypto"), product("Logging", "swift-log"),
            ], swiftSettings: strict),
        .target(
            name: "Island",
            dependencies: [
                "JSON", "Domain", "CargoIO", "OCI", "Sandbox", "Sigstore", "SignedImages", "WebSockets", "IslandLink",
                product("Logging", "swift-log"),
            ],
            swiftSettings: strict),

        // Layer 3: faces.
        .target(
            name: "Web",
            dependencies: [
                "JSON", "Domain", "Storage", "Sigstore", "Coordinator", "IslandLink", "WebSockets", product("Hummingbird", "hummingbird"),
                product("HummingbirdCore", "hummingbird"), product("HTTPTypes", "swift-http-types"), product("Logging", "swift-log"),
                product("NIOCore", "swift-nio"), product("NIOHTTP1", "swift-nio"),
                product("NIOHTTPTypes", "swift-nio-extras"), product("NIOHTTPTypesHTTP1", "swift-nio-extras"),
                product("ServiceLifecycle", "swift-service-lifecycle"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "archipelago",
            dependencies: [
                "JSON", "Domain", "CargoIO", "JSONSchema", "OCI", "Scanning", "Sandbox", "Storage", "Fabric", "Passwords", "Outbound", "WebSockets",
                "Sigstore", "SignedImages", "IslandLink", "Coordinator", "Island", "Web",
                product("ArgumentParser", "swift-argument-parser"), product("AsyncHTTPClient", "async-http-client"),
                product("Crypto", "swift-crypto"), product("Logging", "swift-log"), product("NIOCore", "swift-nio"),
                product("NIOHTTP1", "swift-nio"), product("NIOPosix", "swift-nio"),
                product("ServiceLifecycle", "swift-service-lifecycle"), product("UnixSignals", "swift-service-lifecycle"),
                product("Subprocess", "swift-subprocess"), product("SystemPackage", "swift-system"), product("Yams", "Yams"),
            ], swiftSettings: strict),
        // Freestanding and static: it runs inside the cage, where there is no library to load.
        .executableTarget(
            name: "CageEntry",
            cSettings: [
                .unsafeFlags([
                    "-O2", "-ffreestanding", "-fno-stack-protector", "-fno-pic", "-fno-pie", "-fno-builtin",
                    "-fno-asynchronous-unwind-tables",
                ])
            ],
            linkerSettings: [
                .unsafeFlags(["-nostartfiles", "-static-executable", "-Xclang-linker", "-nostdlib", "-Xclang-linker", "-static"])
            ]),

        // Tests: one target for each target, and what they share.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "JSONTests", dependencies: ["TestSupport", "JSON"], swiftSettings: strict),
        .testTarget(name: "JSONSchemaTests", dependencies: ["TestSupport", "JSONSchema", "JSON"], swiftSettings: strict),
        .testTarget(name: "DomainTests", dependencies: ["TestSupport", "Domain"], swiftSettings: strict),
        .testTarget(name: "CargoIOTests", dependencies: ["TestSupport", "CargoIO", "JSON"], swiftSettings: strict),
        .testTarget(
            name: "OCITests",
            dependencies: [
                "OCI", "TestSupport", product("Crypto", "swift-crypto"), product("NIOCore", "swift-nio"), product("NIOHTTP1", "swift-nio"),
                product("NIOPosix", "swift-nio"),
            ], swiftSettings: strict),
        .testTarget(
            name: "SigstoreTests",
            dependencies: ["TestSupport", "Sigstore", "JSON", product("SwiftASN1", "swift-asn1"), product("X509", "swift-certificates")],
            swiftSettings: strict),
        .testTarget(name: "PasswordsTests", dependencies: ["Passwords"], swiftSettings: strict),
        .testTarget(
            name: "OutboundTests",
            dependencies: ["Outbound", product("NIOCore", "swift-nio"), product("NIOHTTP1", "swift-nio"), product("NIOPosix", "swift-nio")],
            swiftSettings: strict),
        .testTarget(name: "FabricTests", dependencies: ["Fabric"], swiftSettings: strict),
        .testTarget(name: "StorageTests", dependencies: ["TestSupport", "Storage"], swiftSettings: strict),
        .testTarget(name: "IslandLinkTests", dependencies: ["TestSupport", "IslandLink", "Domain", "JSON"], swiftSettings: strict),
        .testTarget(
            name: "ScanningTests",
            dependencies: ["TestSupport", "Scanning", "Domain", product("Subprocess", "swift-subprocess"), product("SystemPackage", "swift-system")],
            swiftSettings: strict),
        .testTarget(
            name: "SandboxTests", dependencies: ["TestSupport", "Sandbox", "Domain", "SandboxKernel"], exclude: ["Programs"],
            swiftSettings: strict),
        .testTarget(
            name: "CoordinatorTests",
            dependencies: [
                "TestSupport", "Coordinator", "JSON", "Domain", "OCI", "Scanning", "Storage", "Fabric", "Passwords", "Outbound", "Sigstore",
                "IslandLink", product("Crypto", "swift-crypto"), product("Logging", "swift-log"),
            ], swiftSettings: strict),
        .testTarget(
            name: "IslandTests",
            dependencies: [
                "TestSupport", "Island", "JSON", "Domain", "CargoIO", "OCI", "Sandbox", "Sigstore", "SignedImages", "IslandLink",
                product("Logging", "swift-log"),
            ], swiftSettings: strict),
        .testTarget(
            name: "WebSocketsTests",
            dependencies: [
                "TestSupport", "WebSockets", product("NIOCore", "swift-nio"), product("NIOPosix", "swift-nio"), product("NIOHTTP1", "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "WebTests",
            dependencies: [
                "TestSupport", "Web", "WebSockets", product("Hummingbird", "hummingbird"), product("ServiceLifecycle", "swift-service-lifecycle"),
                product("NIOCore", "swift-nio"), product("NIOEmbedded", "swift-nio"), product("NIOPosix", "swift-nio"),
                product("HTTPTypes", "swift-http-types"),
                product("Logging", "swift-log"),
            ], swiftSettings: strict),
        .testTarget(
            name: "LiveTests",
            dependencies: [
                "TestSupport", "JSON", "WebSockets", product("NIOCore", "swift-nio"), product("NIOHTTP1", "swift-nio"),
                product("NIOPosix", "swift-nio"),
            ], swiftSettings: strict),
    ]
)
