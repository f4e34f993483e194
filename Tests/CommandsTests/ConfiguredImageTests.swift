import Model
import SystemPackage
import TestSupport
import Testing

@testable import Commands
@testable import Tooling

/// The old command line against image-factory.conf, by the program itself.
@Suite struct ConfiguredImageTests {
    private static let configuration = """
        [DEFAULT]
        data_dir = DATA
        ram = 1G
        format = qcow2
        mirror = http://deb.example.org/debian
        [web]
        initrd = ${data_dir}/initrd.gz
        linux = ${data_dir}/linux
        preseed = ${data_dir}/web.cfg
        [faulty]
        initrd = ${data_dir}/own.conf
        linux = ${data_dir}/own.conf
        preseed = ${data_dir}/own.conf
        [announced]
        initrd = ${data_dir}/own.conf
        linux = ${data_dir}/own.conf
        preseed = ${data_dir}/web.cfg
        post-build-command = /nowhere/announce
        [broken]
        initrd = ftp://x/initrd.gz
        linux = /linux
        vnc = 5
        """

    private func run(
        _ arguments: [String], in folder: FilePath, environment: [String: String] = [:]
    ) async throws -> CommandResult {
        let file = folder.appending("own.conf")
        try Scratch.write(Self.configuration.replacing("DATA", with: folder.string), file)
        try Scratch.write("d-i debian-installer/locale string C\n", folder.appending("web.cfg"))
        let own = [
            "XDG_CACHE_HOME": folder.appending("cache").string, "HOME": folder.appending("home").string,
            "IMAGE_FACTORY_CONFIG": file.string,
        ]
        return try await CommandRunner().run(
            Command(builtExecutable().string, arguments, environment: own.merging(environment) { $1 }))
    }

    @Test(arguments: [
        (["web", "--image-s", "3G"], Int32(1), "error: cannot read the installer's initrd "),
        (["plan", "web"], 1, "error: cannot read the installer's initrd "),
        (["faulty"], 1, "own.conf:1:1: error: debconf-set-selections: parse error: '[DEFAULT]'"),
        (["announced"], 1, "error: there is no program '/nowhere/announce'"),
        (["wep"], 1, "error: No section 'wep' defined in image-factory.conf."),
        (["wep"], 1, "hint: did you mean 'web'?"),
        (["broken"], 1, "own.conf:20:10: error: No download handler for file 'ftp://x/initrd.gz' found."),
        (["broken"], 1, "own.conf:22:7: error: '5' is no VNC display"),
        (["broken"], 1, "own.conf:19:1: error: No option 'preseed', "),
        (["web", "--mac", "a$x"], 1, "--mac:1:2: error: invalid interpolation syntax"),
        (["-f", "vmdk", "web"], 2, "image-factory: error: argument -f/--format: invalid choice: 'vmdk'"),
        ([], 2, "image-factory: error: No image specified."),
        (["web", "--set", "a=b"], 64, "error: --set is for definitions"),
        (["web.yaml"], 66, "error: there is no file 'web.yaml'"),
    ])
    func `The old command line says what it did, and makes nothing`(
        arguments: [String], status: Int32, said: String
    ) async throws {
        try await Scratch.with { folder in
            let result = try await run(arguments, in: folder.path)
            #expect(result.ending == .exited(status))
            #expect(result.lastLines.contains { $0.contains(said) }, "\(result.lastLines)")
            #expect(Scratch.names(folder.path) == ["own.conf", "web.cfg"])
        }
    }

    @Test func `An image's plan is printed, and nothing is made but the store`() async throws {
        try await Scratch.with { folder in
            for file in ["linux", "initrd.gz"] { try Scratch.write(file, folder.path.appending(file)) }
            let cache = folder.path.appending("elsewhere")
            let result = try await run(["plan", "web", "-c", cache.string, "--offline"], in: folder.path)
            #expect(result.ending == .exited(0), "\(result.lastLines)")
            let plan = try Canonical.decode(BuildPlan.self, from: result.standardOutput)
            #expect(plan.steps.map(\.name) == ["install", "seal", "verify", "convert-qcow2"])
            guard case .install(let action) = plan.steps[0].action else {
                Issue.record("the first step installs nothing")
                return
            }
            #expect(
                action.medium
                    == .kernel(Digest(of: Array("linux".utf8)), initrd: Digest(of: Array("initrd.gz".utf8))))
            #expect(action.answers.map(\.name) == ["web.cfg"])
            #expect(
                Scratch.names(folder.path) == ["elsewhere", "initrd.gz", "linux", "own.conf", "web.cfg"])
        }
    }

    @Test func `The variable IMAGE stands for the image`() async throws {
        try await Scratch.with { folder in
            let result = try await run([], in: folder.path, environment: ["IMAGE": "nobody"])
            #expect(result.ending == .exited(1))
            #expect(result.lastLines.contains { $0.contains("No section 'nobody' defined in image-factory.conf.") })
        }
    }

    @Test func `A file that IMAGE_FACTORY_CONFIG names has to be there`() async throws {
        try await Scratch.with { folder in
            let result = try await run(["web"], in: folder.path, environment: ["IMAGE_FACTORY_CONFIG": "/nowhere"])
            #expect(result.ending == .exited(1))
            #expect(
                result.lastLines.contains("error: '/nowhere' (set in IMAGE_FACTORY_CONFIG) is not a valid file."))
        }
    }

    @Test func `Every option that is let through is one of build's`() async throws {
        let result = try await CommandRunner().run(Command(builtExecutable().string, ["build", "--help"]))
        let help = String(decoding: result.standardOutput, as: UTF8.self)
        for name in NetinstallGrammar.build.options.flatMap(\.names) { #expect(help.contains(name), "\(name)") }
    }
}
