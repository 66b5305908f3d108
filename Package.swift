// swift-tools-version: 6.1
import PackageDescription

// Targets are listed from the bottom up; a target imports only from above it in this list (docs/architecture.md).

/// libFuzzer's runtime: where `scripts/fuzz` says, all targets are built for it, in a build directory of its own.
let fuzzer = Context.environment["MARTLET_LIBFUZZER"]

let strict: [SwiftSetting] =
    [.swiftLanguageMode(.v6), .unsafeFlags(["-warnings-as-errors"])]
    + (fuzzer == nil ? [] : [.unsafeFlags(["-sanitize=fuzzer,address", "-O"])])

/// The package of each product that a target imports.
let products = [
    "ArgumentParser": "swift-argument-parser",
    "AsyncHTTPClient": "async-http-client",
    "Crypto": "swift-crypto",
    "DequeModule": "swift-collections",
    "GRDB": "GRDB.swift",
    "HeapModule": "swift-collections",
    "HTTPTypes": "swift-http-types",
    "HummingbirdCore": "hummingbird",
    "HummingbirdHTTP2": "hummingbird",
    "Logging": "swift-log",
    "NIOCore": "swift-nio",
    "NIOEmbedded": "swift-nio",
    "NIOHPACK": "swift-nio-http2",
    "NIOHTTP1": "swift-nio",
    "NIOHTTPTypes": "swift-nio-extras",
    "NIOHTTPTypesHTTP1": "swift-nio-extras",
    "NIOPosix": "swift-nio",
    "NIOSSL": "swift-nio-ssl",
    "NIOTLS": "swift-nio",
    "NIOWebSocket": "swift-nio",
    "Subprocess": "swift-subprocess",
    "SwiftASN1": "swift-asn1",
    "X509": "swift-certificates",
    "Yams": "Yams",
]

/// Dependencies by the names of their modules, those of this package first (`scripts/check-dependencies`).
func modules(_ names: [String]) -> [Target.Dependency] {
    names.map { name in products[name].map { .product(name: name, package: $0) } ?? .byName(name: name) }
}

func library(_ name: String, _ imports: [String], path: String? = nil) -> Target {
    .target(name: name, dependencies: modules(imports), path: path, swiftSettings: strict)
}

func tests(_ name: String, _ imports: [String]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: modules([name] + imports), swiftSettings: strict)
}

/// A program of `images/`: static, so that it runs in an image made from nothing.
func service(_ name: String) -> Target {
    .executableTarget(
        name: name, dependencies: ["ServiceHTTP"], path: "images/\(name)/Sources", swiftSettings: strict,
        linkerSettings: [
            .unsafeFlags(["-static-executable"]), .unsafeFlags(["-Xlinker", "-s"], .when(configuration: .release)),
        ])
}

/// Tests/Fuzz: a test of its corpora, or the program that adds to them.
func fuzzTargets(_ imports: [String]) -> Target {
    guard let fuzzer else {
        return .testTarget(
            name: "FuzzTests", dependencies: modules(imports), path: "Tests/Fuzz", exclude: ["C", "Corpus", "Program"],
            swiftSettings: strict)
    }
    return .executableTarget(
        name: "fuzz", dependencies: modules(imports), path: "Tests/Fuzz",
        exclude: ["C", "Corpus", "CorpusTests.swift"],
        swiftSettings: strict, linkerSettings: [.unsafeFlags(["-sanitize=address", "-Xlinker", fuzzer, "-lstdc++"])])
}

let package = Package(
    name: "martlet",
    products: [.executable(name: "martlet", targets: ["martlet"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        .target(name: "CLinux"),
        .target(name: "CSystemLibrary", linkerSettings: [.linkedLibrary("dl")]),
        .target(name: "CSystemd", dependencies: ["CSystemLibrary"]),
        .target(name: "CNftables", dependencies: ["CSystemLibrary"]),
        .target(name: "CSeccomp", dependencies: ["CSystemLibrary"]),
        .target(name: "CArchive", dependencies: ["CSystemLibrary"]),
        .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
        library("Retrying", []),
        library("Addresses", []),
        .target(name: "CInitProtocol"),
        library("Linux", ["CLinux", "Addresses"]),
        library("Systemd", ["CSystemd", "Linux"]),
        library("KubernetesModel", ["Yams"]),
        library("ClusterLayout", ["Retrying", "Addresses", "Linux", "KubernetesModel"]),
        library("APIMachinery", ["KubernetesModel"]),
        library("Kinds", ["Addresses", "KubernetesModel", "APIMachinery"]),
        library("Store", ["KubernetesModel", "DequeModule", "GRDB"]),
        library("ImageStore", ["CArchive", "Linux", "KubernetesModel", "Crypto"]),
        library("NodeStreams", ["KubernetesModel", "DequeModule", "Logging", "NIOCore", "NIOPosix"]),
        library(
            "APIClient", ["Retrying", "KubernetesModel", "AsyncHTTPClient", "Logging", "NIOCore", "NIOHTTP1", "NIOSSL"]),
        library(
            "APIServer",
            [
                "CZlib", "Retrying", "Addresses", "KubernetesModel", "ClusterLayout", "APIMachinery", "Kinds", "Store",
                "NodeStreams", "APIClient", "AsyncHTTPClient", "Crypto", "HTTPTypes", "HummingbirdCore",
                "HummingbirdHTTP2", "Logging", "NIOCore", "NIOHTTP1", "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOPosix",
                "NIOSSL", "NIOTLS", "NIOWebSocket", "SwiftASN1", "X509",
            ]),
        library("Controllers", ["Addresses", "KubernetesModel", "APIClient", "Logging"]),
        library("Scheduler", ["Retrying", "KubernetesModel", "APIClient", "HeapModule", "Logging"]),
        library(
            "Networking",
            [
                "CLinux", "CNftables", "Retrying", "Addresses", "Linux", "KubernetesModel", "APIClient", "Logging",
                "NIOCore",
                "NIOPosix",
            ]),
        library(
            "PodRuntime",
            [
                "CLinux", "CSeccomp", "Retrying", "Addresses", "CInitProtocol", "Linux", "KubernetesModel",
                "ClusterLayout", "Logging",
            ]),
        library(
            "NodeAgent",
            [
                "CZlib", "Retrying", "Addresses", "Linux", "Systemd", "KubernetesModel", "ClusterLayout", "ImageStore",
                "NodeStreams", "APIClient", "Networking", "PodRuntime", "Logging", "NIOCore", "NIOHPACK", "NIOPosix",
                "NIOSSL",
            ]),
        library(
            "ControlPlane",
            [
                "Addresses", "Linux", "KubernetesModel", "ClusterLayout", "Kinds", "Store", "APIClient", "APIServer",
                "Controllers", "Scheduler", "Networking", "Logging",
            ]),
        library(
            "Supervisor",
            [
                "CSystemLibrary", "Retrying", "Addresses", "Linux", "Systemd", "KubernetesModel", "ClusterLayout",
                "Networking",
                "PodRuntime", "Crypto", "Logging", "SwiftASN1", "X509",
            ]),
        .executableTarget(
            name: "martlet",
            dependencies: modules([
                "Addresses", "Linux", "Systemd", "KubernetesModel", "ClusterLayout", "APIMachinery", "ImageStore",
                "NodeStreams",
                "APIClient", "Networking", "NodeAgent", "ControlPlane", "Supervisor", "ArgumentParser", "Logging",
            ]),
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

        library("TestSupport", [], path: "Tests/TestSupport"),
        library("InMemoryClient", ["KubernetesModel", "APIClient"], path: "Tests/InMemoryClient"),
        library(
            "SandboxNode",
            ["Addresses", "Linux", "KubernetesModel", "ClusterLayout", "PodRuntime", "TestSupport", "Logging"],
            path: "Tests/SandboxNode"),
        .executableTarget(
            name: "benchmarks",
            dependencies: modules([
                "KubernetesModel", "APIClient", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL", "NIOTLS", "Subprocess",
            ]),
            path: "Benchmarks/Sources", swiftSettings: strict),

        tests("Retrying", []),
        tests("Addresses", []),
        tests("Linux", ["Addresses", "TestSupport"]),
        tests("Systemd", []),
        tests("ClusterLayout", ["Linux", "TestSupport"]),
        tests("KubernetesModel", []),
        tests("APIMachinery", ["KubernetesModel", "Kinds"]),
        tests("Kinds", ["KubernetesModel", "APIMachinery"]),
        tests("Store", ["KubernetesModel", "GRDB"]),
        tests("ImageStore", ["CArchive", "Linux", "KubernetesModel", "martlet", "TestSupport"]),
        tests("ServiceHTTP", []),
        tests("NodeStreams", ["KubernetesModel"]),
        tests("APIClient", ["KubernetesModel", "TestSupport", "NIOCore"]),
        tests(
            "APIServer",
            [
                "Addresses", "Linux", "KubernetesModel", "APIMachinery", "Kinds", "Store", "NodeStreams", "APIClient",
                "TestSupport", "Crypto", "HTTPTypes", "Logging", "NIOCore", "NIOPosix", "NIOSSL", "X509",
            ]),
        tests("Controllers", ["KubernetesModel", "APIClient", "TestSupport", "InMemoryClient"]),
        tests("Scheduler", ["Retrying", "KubernetesModel", "APIClient", "TestSupport", "InMemoryClient"]),
        tests(
            "Networking",
            [
                "Addresses", "Linux", "KubernetesModel", "APIClient", "TestSupport", "Logging", "NIOCore", "NIOPosix",
            ]),
        tests(
            "PodRuntime",
            ["CInitProtocol", "Linux", "KubernetesModel", "TestSupport", "SandboxNode", "Logging"]),
        .testTarget(
            name: "MartletInitTests", dependencies: modules(["CInitProtocol", "Linux", "TestSupport"]),
            swiftSettings: strict),
        .testTarget(
            name: "AttackTests",
            dependencies: modules(["Linux", "KubernetesModel", "PodRuntime", "TestSupport", "SandboxNode"]),
            swiftSettings: strict),
        tests(
            "NodeAgent",
            [
                "Linux", "KubernetesModel", "ClusterLayout", "ImageStore", "NodeStreams", "APIClient", "PodRuntime",
                "TestSupport", "InMemoryClient", "SandboxNode", "Logging", "NIOCore", "NIOHPACK", "NIOPosix",
            ]),
        tests(
            "Supervisor", ["Addresses", "Linux", "KubernetesModel", "ClusterLayout", "TestSupport", "Logging", "X509"]),
        .testTarget(
            name: "CommandLineTests",
            dependencies: modules(["KubernetesModel", "martlet", "TestSupport", "Subprocess"]),
            swiftSettings: strict),
        fuzzTargets([
            "Linux", "KubernetesModel", "APIMachinery", "Kinds", "ImageStore", "NodeStreams", "APIServer", "Networking",
            "NIOCore", "NIOEmbedded", "NIOWebSocket",
        ]),
        .testTarget(
            name: "EndToEndTests", dependencies: modules(["TestSupport", "Subprocess"]), path: "Tests/EndToEnd",
            exclude: ["kinds.jsonl", "lookup.py", "outside.py"],
            swiftSettings: strict),
    ]
)
