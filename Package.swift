// swift-tools-version: 6.1
import PackageDescription

// Targets are listed from the bottom up; a target imports only from above it in this list (docs/architecture.md).

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .unsafeFlags(["-warnings-as-errors"])]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies, swiftSettings: strict)
}

/// A program of `images/`: static, so that it runs in an image made from nothing.
func service(_ name: String) -> Target {
    .executableTarget(
        name: name, dependencies: ["ServiceHTTP"], path: "images/\(name)/Sources", swiftSettings: strict,
        linkerSettings: [
            .unsafeFlags(["-static-executable"]), .unsafeFlags(["-Xlinker", "-s"], .when(configuration: .release)),
        ])
}

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncAlgorithms: Target.Dependency = .product(name: "AsyncAlgorithms", package: "swift-async-algorithms")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdHTTP2: Target.Dependency = .product(name: "HummingbirdHTTP2", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
]
let nioHPACK: Target.Dependency = .product(name: "NIOHPACK", package: "swift-nio-http2")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioWebSocket: Target.Dependency = .product(name: "NIOWebSocket", package: "swift-nio")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "martlet",
    products: [.executable(name: "martlet", targets: ["martlet"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        .target(name: "CLinux"),
        .target(name: "CSystemd", linkerSettings: [.linkedLibrary("dl")]),
        .target(name: "CNftables", linkerSettings: [.linkedLibrary("dl")]),
        .target(name: "CArchive", linkerSettings: [.linkedLibrary("dl")]),
        .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
        library("Retrying", []),
        library("Addresses", []),
        .target(name: "CInitProtocol"),
        library("Linux", ["Addresses", "CLinux", system]),
        library("Systemd", ["CSystemd"]),
        library("KubernetesModel", [collections, yams]),
        library("ClusterLayout", ["KubernetesModel", "Linux", "Retrying"]),
        library("APIMachinery", ["KubernetesModel"]),
        library("Kinds", ["APIMachinery", "Addresses"]),
        library("Store", ["KubernetesModel", grdb, collections, logging]),
        library("ImageStore", ["KubernetesModel", "CArchive", "Linux", crypto, system, logging]),
        library("NodeStreams", ["KubernetesModel", collections, logging] + nio),
        library(
            "APIClient",
            ["KubernetesModel", "Retrying", asyncHTTPClient, asyncAlgorithms, logging, nioHTTP1, nioSSL] + nio),
        library(
            "APIServer",
            [
                "Kinds", "Addresses", "ClusterLayout", "Store", "APIClient", "NodeStreams", "Retrying", "CZlib",
                asyncHTTPClient,
                hummingbird,
                hummingbirdCore,
                hummingbirdHTTP2, hummingbirdTLS, nioSSL,
                nioHTTP1, nioWebSocket, x509, crypto, logging,
            ] + nio),
        library("Controllers", ["Addresses", "APIClient", logging]),
        library("Scheduler", ["Retrying", "APIClient", collections, logging]),
        library("Networking", ["Addresses", "Retrying", "Linux", "CNftables", "APIClient", logging] + nio),
        library(
            "PodRuntime",
            [
                "ClusterLayout", "Addresses", "Retrying", "CInitProtocol", "CLinux", "Linux", "KubernetesModel",
                logging, system,
            ]),
        library(
            "NodeAgent",
            [
                "Addresses", "ClusterLayout", "Linux", "Systemd", "ImageStore", "NodeStreams", "Retrying", "APIClient",
                "Networking",
                "PodRuntime",
                "CZlib",
                logging, nioHPACK, nioSSL,
            ] + nio
        ),
        library(
            "ControlPlane",
            [
                "Systemd", "Addresses", "ClusterLayout", "Kinds", "Store", "APIServer", "Controllers", "Scheduler",
                "Networking",
                serviceLifecycle,
                logging,
            ]),
        library(
            "Supervisor",
            [
                "ClusterLayout", "Addresses", "Retrying", "Linux", "Systemd", "KubernetesModel", "APIClient",
                "Networking", "PodRuntime",
                x509,
                crypto, system,
                yams, logging,
            ]),
        .executableTarget(
            name: "martlet",
            dependencies: [
                "Addresses", "ClusterLayout", "Supervisor", "ControlPlane", "NodeAgent", "Networking", "ImageStore",
                argumentParser,
                logging,
            ],
            swiftSettings: strict),
        // Static and without a libc: -nostartfiles is the driver's, the rest is told to clang and the linker, and the
        // Swift library that the driver adds is never loaded, for there is no dynamic linker.
        .executableTarget(
            name: "martlet-init",
            dependencies: ["CInitProtocol"],
            cSettings: [
                .unsafeFlags([
                    "-O2", "-Wall", "-Wextra", "-Werror", "-std=gnu11", "-ffreestanding", "-fno-stack-protector",
                    "-fno-asynchronous-unwind-tables",
                ])
            ],
            linkerSettings: [
                .unsafeFlags([
                    "-nostartfiles", "-use-ld=lld", "-Xclang-linker", "-nostdlib", "-Xclang-linker", "-no-pie",
                    "-Xlinker", "--as-needed", "-Xlinker", "--no-dynamic-linker", "-Xlinker", "--gc-sections",
                ])
            ]),

        // The example services' programs (images/), each one static file without Foundation.
        .systemLibrary(name: "CEvents", path: "images/http/CEvents"),
        .target(
            name: "ServiceHTTP", dependencies: ["CEvents"], path: "images/http/Sources", swiftSettings: strict),
        service("hello"),
        service("auth"),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "InMemoryClient", dependencies: ["APIClient"], path: "Tests/InMemoryClient", swiftSettings: strict),
        .target(
            name: "SandboxNode", dependencies: ["ClusterLayout", "Addresses", "PodRuntime"], path: "Tests/SandboxNode",
            swiftSettings: strict),
        .executableTarget(
            name: "benchmarks", dependencies: ["APIClient", "KubernetesModel", subprocess, nioHTTP1, nioSSL] + nio,
            path: "Benchmarks/Sources", swiftSettings: strict),

        tests("Retrying", []),
        tests("Addresses", []),
        tests("Linux", []),
        tests("Systemd", []),
        tests("ClusterLayout", []),
        tests("KubernetesModel", []),
        tests("APIMachinery", ["Kinds"]),
        tests("Kinds", []),
        tests("Store", []),
        tests("ImageStore", []),
        tests("ServiceHTTP", []),
        tests("NodeStreams", []),
        tests("APIClient", []),
        tests("APIServer", ["Linux", x509, crypto]),
        tests("Controllers", ["InMemoryClient"]),
        tests("Scheduler", ["InMemoryClient", "Retrying"]),
        tests("Networking", []),
        tests("PodRuntime", ["CInitProtocol", "SandboxNode"]),
        tests("NodeAgent", ["ClusterLayout", "InMemoryClient", "SandboxNode"]),
        tests("Supervisor", ["ClusterLayout", x509]),
        .testTarget(
            name: "CommandLineTests", dependencies: ["KubernetesModel", "martlet", subprocess], swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests", dependencies: ["TestSupport", subprocess], path: "Tests/EndToEnd",
            exclude: ["kinds.jsonl", "lookup.py"],
            swiftSettings: strict),
    ]
)
