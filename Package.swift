// swift-tools-version: 6.1
import PackageDescription

// The kernels are one set of sources (Sources/Kernels; the other folders are links to it), compiled
// once per CPU level. Only these targets are compiled unchecked and for a particular CPU.
#if arch(x86_64)
let kernelLevels = [
        ("Kernels", "x86-64", ["-DHOST_BASELINE", "-DHOST_NO_FMA"]),
        ("KernelsV3", "x86-64-v3", ["-DHOST_V3"]),
        ("KernelsV4", "x86-64-v4", ["-DHOST_V4", "-DHOST_WIDE_TILE"]),
    ]
#else
let kernelLevels = [("Kernels", "armv8-a", ["-DHOST_NEON"])]
#endif
let kernelTargets: [Target] = kernelLevels.map { name, march, defines in
    .target(
        name: name, dependencies: ["KernelABI"],
        swiftSettings: [.unsafeFlags(["-Ounchecked", "-Xcc", "-march=\(march)"] + defines)],
        linkerSettings: [.linkedLibrary("m")])
}
let kernels = kernelLevels.map { Target.Dependency(stringLiteral: $0.0) }

let package = Package(
    name: "host",
    platforms: [.macOS(.v15)],
    products: [.library(name: "FileFuzzing", type: .static, targets: ["FileFuzzing"])],
    dependencies: [
        // Without its traits it needs no more of Foundation than FoundationEssentials: no 40 MB of ICU in the image.
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
    ],
    targets: kernelTargets + [
        .systemLibrary(
            name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"]), .brew(["lua"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
        .target(name: "KernelABI"),
        .target(name: "CLuaShim", dependencies: ["CLua"]),
        .target(name: "CPrelude"),
        .target(name: "LuaBridge", dependencies: ["CLua", "CLuaShim"]),
        .target(name: "JSONText"),
        // Tensors are used from one thread; debug builds check exclusive access, which costs more than a small operation.
        .target(
            name: "NN", dependencies: ["KernelABI", "CZlib", "JSONText"] + kernels,
            swiftSettings: [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]),
        .target(
            name: "ONNX", dependencies: ["NN", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["Proto/onnx.proto"]),
        .target(
            name: "Wandb",
            dependencies: [
                "CCurl", "CCrypto", "CZlib", "JSONText", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Proto/records.proto"]),
        .target(
            name: "FileFuzzing", dependencies: ["LuaBridge", "NN", "Wandb", "JSONText", "CYAML"], path: "Tests/Fuzz/FileFuzzing"),
        .executableTarget(
            name: "host", dependencies: ["LuaBridge", "NN", "ONNX", "Wandb", "JSONText", "CPrelude", "CCurl", "CCrypto", "CYAML"],
            path: "Sources/Host", exclude: ["Prelude"]),
        .testTarget(name: "KernelsTests", dependencies: ["KernelABI"] + kernels, exclude: ["Golden"]),
        .testTarget(name: "NNTests", dependencies: ["NN", "JSONText"]),
        .testTarget(name: "LuaBridgeTests", dependencies: ["LuaBridge"]),
        .testTarget(name: "WandbTests", dependencies: ["Wandb"], exclude: ["Fixtures"]),
        .testTarget(name: "HostTests", dependencies: ["host", "Wandb"]),
        .testTarget(name: "FileFuzzingTests", dependencies: ["FileFuzzing"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu2x)
