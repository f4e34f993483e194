import Dialects
import Model
import Planning
import SystemPackage
import TestSupport
import Testing

@Suite struct InstallationPlanTests {
    private static let kernel = Source(.https, "https://mirror.example.org/linux")
    private static let initrd = Source(.file, "/home/me/initrd.gz")

    private static func web(_ change: (inout ImageDefinition, inout Netinstall) -> Void = { _, _ in })
        -> ImageDefinition
    {
        var install = Netinstall(
            medium: .kernel(kernel, initrd: initrd),
            answers: [AnswerFile(.preseed, path: "/home/me/web.cfg", digest: Digest(of: [1]), size: ByteCount(1))],
            append: "quiet", memory: .gibi(1))
        var definition = ImageDefinition(
            name: "web", version: "2026-11-21", os: OperatingSystem(distribution: "linux", release: ""),
            disk: DiskLayout(size: .fixed(.gibi(2)), firmware: .bios), outputs: [Output(.raw)],
            bootCheck: BootCheck(enabled: false))
        change(&definition, &install)
        definition.base = .netinstall(install)
        return definition
    }

    /// Facts in which each location has bytes of its own.
    private static func facts(_ definition: ImageDefinition) -> PlanningFacts {
        var facts = PlanningFacts(
            tools: Dictionary(
                uniqueKeysWithValues: ([Planner.builder] + Planner.tools(for: definition)).map { ($0, "1.0") }),
            day: "2026-11-21")
        guard case .netinstall(let install) = definition.base else { return facts }
        let sources =
            switch install.medium {
            case .kernel(let kernel, let initrd): [kernel, initrd]
            case .image(let image): [image]
            }
        for source in sources {
            let name = source.location.split(separator: "/").last.map(String.init) ?? ""
            facts.sources[source] = source.digest ?? Digest(of: Array(name.utf8))
        }
        return facts
    }

    private func plan(_ definition: ImageDefinition) throws -> BuildPlan {
        try Planner.plan(definition, facts: Self.facts(definition))
    }

    @Test(arguments: [
        ("old-form", "Debian-13-server"), ("old-form", "Fedora-42-server"), ("every-key", "kernel"),
        ("every-key", "medium"),
    ])
    func `An image of image-factory.conf has the plan that was agreed on`(file: String, image: String) throws {
        let path = RepositoryFiles.root.appending("Tests/DialectsTests/Goldens/\(file).conf")
        try check(image, of: path, golden: "\(file)-\(image).json")
    }

    @Test(arguments: [
        "Debian-12-server", "Debian-13-server", "Ubuntu-24.04-server", "Fedora-44-server", "CentOS-Stream-9-server",
        "AlmaLinux-9-server", "openSUSE-Leap-15.6-server",
    ])
    func `A section of the shipped configuration has the plan that was agreed on`(image: String) throws {
        let path = RepositoryFiles.root.appending("share/image-factory/image-factory.conf")
        try check(image, of: path, golden: "shipped-\(image).json")
    }

    @Test func `The example of an installation has the plan that was agreed on`() throws {
        let name = "debian-13-netinstall"
        let names = DistributionNames([("debian", [("trixie", ["13"])], ["main"])])
        let definition = try NativeDialect.parse(
            bytes: try RepositoryFiles.example(name), file: name + ".yaml", set: [], distributions: names,
            files: LocalFiles { (Digest(of: Array($0.utf8)), ByteCount(8)) }
        ).definition
        let text = try Canonical.text(plan(definition))
        #expect(text == (try Golden.expected(name + ".json", for: text)))
    }

    private func check(_ image: String, of path: FilePath, golden: String) throws {
        let bytes = try RepositoryFiles.bytes(path)
        let surroundings = INISurroundings(
            home: "/home/me", folder: "/d", date: "2026-11-21",
            read: { $0 == "/etc/image-factory.conf" ? bytes : nil },
            files: LocalFiles { (Digest(of: Array($0.utf8)), ByteCount(8)) })
        let definition = try INIDialect.parse(INIRequest(image: image), in: surroundings).definition
        let text = try Canonical.text(plan(definition))
        #expect(text == (try Golden.expected(golden, for: text)))
    }

    @Test func `An installation is installed, sealed and verified, and no tree is made`() throws {
        let raw = try plan(Self.web())
        #expect(raw.steps.map(\.name) == ["install", "seal", "verify", "digest-raw"])
        #expect(raw.artifacts.map(\.file) == ["web-2026-11-21.raw"])
        #expect(raw.step(named: "verify")?.inputs["disk"] == StepInput(step: "seal", file: "disk.raw"))
        let both = try plan(
            Self.web { definition, install in
                definition.outputs = [Output(.qcow2, compression: .uncompressed)]
                install.keepsRaw = true
            })
        #expect(both.artifacts.map(\.file) == ["web-2026-11-21.qcow2", "web-2026-11-21.raw"])
        #expect(raw.ids["seal"] == both.ids["seal"])
    }

    @Test func `The finished image is booted where that is wished`() throws {
        let plan = try plan(
            Self.web { definition, _ in
                definition.bootCheck.enabled = true
                definition.disk.firmware = .both
            })
        #expect(plan.steps.map(\.name).suffix(2) == ["boot-bios", "boot-uefi"])
    }

    @Test func `Where things come from, go to and are shown is no part of a plan`() throws {
        let moved = Self.web { definition, install in
            install.medium = .kernel(
                Source(.http, "http://other.example.org/linux"), initrd: Source(.rsync, "rsync://x/initrd.gz"))
            install.answers[0].path = "/elsewhere/web.cfg"
            install.vnc = VNCDisplay(number: 1)
            install.limitSeconds = 60
            install.logFile = "log"
            install.postBuildCommand = "true"
            install.showsInstallerLogs = true
            install.checksums = [
                "http://other.example.org/linux": .listed(.init(Source(.http, "http://other.example.org/SHA256SUMS")))
            ]
            definition.uploads = [UploadDestination(name: "a", target: "host:")]
        }
        #expect(try plan(Self.web()) == plan(moved))
        let text = try Canonical.text(plan(moved))
        #expect(!text.contains("elsewhere"))
    }

    @Test func `What the installer reads changes everything`() throws {
        let base = try plan(Self.web())
        let everything = Set(base.ids.keys)
        let changes: [(inout ImageDefinition, inout Netinstall) -> Void] = [
            { $1.answers[0].digest = Digest(of: [2]) },
            // The kernel's arguments have it.
            { $1.answers[0].path = "/home/me/other.cfg" },
            { $1.append = "" }, { $1.memory = .gibi(2) }, { $1.network = .open },
            { $1.medium = .image(Source(.file, "/home/me/linux")) },
            { definition, _ in definition.disk.size = .fixed(.gibi(3)) },
        ]
        for change in changes {
            #expect(base.stepsChanged(in: try plan(Self.web(change))) == everything)
        }
        let definition = Self.web()
        var tomorrow = Self.facts(definition)
        tomorrow.day = "2026-11-22"
        #expect(base.stepsChanged(in: try Planner.plan(definition, facts: tomorrow)) == everything)
    }

    @Test func `The rule for partitions keeps the installation`() throws {
        let changed = try plan(Self.web { $1.partitions = .strict })
        #expect(try plan(Self.web()).stepsChanged(in: changed) == ["seal", "verify", "digest-raw"])
    }

    @Test func `Nothing is declared of what an installer makes`() throws {
        let plan = try plan(Self.web { definition, _ in definition.verify.isAdvisory = true })
        guard case .verify(let policy) = plan.step(named: "verify")?.action else {
            Issue.record("there is no verify step")
            return
        }
        #expect(policy == VerifyPolicy(isAdvisory: true))
    }

    @Test func `A source that was not fetched is a defect`() {
        let definition = Self.web()
        let error = #expect(throws: FactoryError.self) {
            try Planner.plan(definition, facts: PlanningFacts(tools: [:]))
        }
        #expect(error?.code == .internal)
    }
}
