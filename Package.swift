// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, exclude: exclude,
        resources: resources, swiftSettings: settings)
}

let package = Package(
    name: "image-factory",
    products: [.executable(name: "image-factory", targets: ["image-factory"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2", traits: []),
    ],
    targets: [
        // System calls that the Glibc module hides, and the init of a containment: C, because a process
        // that enters namespaces must have one thread and no runtime.
        .target(name: "CLinux"),
        // libext2fs, which hides half of itself in macros and callbacks, behind plain functions.
        .target(name: "CExt2", linkerSettings: [.linkedLibrary("ext2fs"), .linkedLibrary("com_err")]),
        // zstd and zlib as the system has them.
        .target(name: "CCompress", linkerSettings: [.linkedLibrary("zstd"), .linkedLibrary("z")]),
        // The search for many byte strings in a whole disk, in C to be fast in debug builds too, and crypt(3).
        .target(name: "CVerify", linkerSettings: [.linkedLibrary("crypt")]),
        module("Model", [crypto, system]),
        module("DiskFormats", [crypto, system, "CLinux", "CCompress"]),
        module("Filesystems", ["DiskFormats", "CExt2", system]),
        module("Verify", ["Model", "DiskFormats", "Filesystems", "CVerify", crypto, system]),
        module("Compare", ["Model", "DiskFormats", "Filesystems", "CCompress", crypto, system]),
        module("Records", ["Model"]),
        module("Tooling", ["Model", "CLinux", system, .product(name: "Subprocess", package: "swift-subprocess")]),
        module("Transfer", ["Model", "Tooling", crypto, system]),
        module("Dialects", ["Model", system, .product(name: "Yams", package: "Yams")]),
        module("Planning", ["Model"]),
        module("Engine", ["Model", system]),
        module(
            "Steps",
            [
                "Model", "Engine", "Tooling", "Transfer", "DiskFormats", "Filesystems", "Verify", "Compare", "CLinux",
                system,
            ]),
        module("Store", ["Model", "Engine", "CLinux", system]),
        module(
            "FactoryCore",
            [
                "Model", "DiskFormats", "Verify", "Records", "Tooling", "Dialects", "Planning", "Engine", "Transfer",
                "Steps", "Store", "CLinux", system,
            ]),
        module(
            "Commands",
            [
                "Model", "FactoryCore", "CLinux", system,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(name: "image-factory", dependencies: ["Commands", "CLinux"], swiftSettings: settings),
        tests("Model", []),
        tests("Steps", ["Model", "Tooling", "DiskFormats", "CLinux", "TestSupport", "image-factory", system]),
        tests("Tooling", ["Model", "TestSupport", "image-factory", system]),
        tests("Transfer", ["Model", "Store", "Tooling", "TestSupport", "image-factory", crypto, system]),
        // What tests of several modules share.
        .target(
            name: "TestSupport", dependencies: ["Model", "Tooling", system], path: "Tests/TestSupport",
            swiftSettings: settings),
        tests("DiskFormats", [system, "CLinux"]),
        tests("Filesystems", ["DiskFormats", "Tooling", "TestSupport", "image-factory", system]),
        tests("Verify", ["Model", "DiskFormats", "Filesystems", "Tooling", "TestSupport", "image-factory", system]),
        tests("Compare", ["Model", "DiskFormats", "Filesystems", "Tooling", "TestSupport", "image-factory", system]),
        tests("Records", ["Model", "Tooling", "TestSupport", system], exclude: ["Goldens"]),
        tests(
            "FactoryCore",
            [
                "Model", "Planning", "Engine", "Steps", "Store", "Records", "Tooling", "TestSupport", "image-factory",
                system,
            ], exclude: ["Goldens"]),
        tests(
            "Commands",
            ["Model", "Dialects", "FactoryCore", "CLinux", "Tooling", "TestSupport", "image-factory", system],
            exclude: ["Goldens"]),
        tests(
            "Dialects", ["Model", "TestSupport", system, .product(name: "Yams", package: "Yams")], exclude: ["Goldens"]),
        tests("Engine", ["Model", "TestSupport", system]),
        tests("Store", ["Model", "Engine", "TestSupport", system]),
        tests("Planning", ["Model", "Dialects", "TestSupport"], exclude: ["Goldens"]),
        // Real builds and boots: `make e2e`.
        .testTarget(
            name: "E2ETests", dependencies: ["Model", "Tooling", "Steps", "TestSupport", "image-factory", system],
            swiftSettings: settings),
    ]
)

// `package` access ends at the package, so benchmarks are a target of this one, but of no ordinary build.
if Context.environment["IMAGE_FACTORY_BENCHMARKS"] != nil {
    package.targets.append(
        .executableTarget(
            name: "bench-formats", dependencies: ["DiskFormats", system], path: "Benchmarks/bench-formats",
            swiftSettings: settings))
    package.targets.append(
        .executableTarget(
            name: "bench-netinstall", dependencies: ["Model", "Engine", "Filesystems", "Steps", "Tooling", system],
            path: "Benchmarks/bench-netinstall", swiftSettings: settings))
}
