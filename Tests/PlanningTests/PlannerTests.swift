import Model
import Planning
import Testing

@Suite struct PlannerTests {
    private func plan(_ definition: ImageDefinition, _ change: (inout PlanningFacts) -> Void = { _ in }) throws
        -> BuildPlan
    {
        var facts = Facts.of(definition)
        change(&facts)
        return try Planner.plan(definition, facts: facts)
    }

    private let everything: Set<String> = [
        "bootstrap", "configure", "clean", "assemble", "verify", "convert-qcow2", "boot-bios", "boot-uefi",
    ]

    @Test func `Steps come after those that they need, with names of their own`() throws {
        let plan = try plan(
            Definitions.small { $0.outputs = [.init(.tarZstd), .init(.qcow2), .init(.raw), .init(.tar)] })
        var known: Set<String> = []
        for step in plan.steps {
            #expect(step.inputs.values.allSatisfy { known.contains($0.step) })
            #expect(known.insert(step.name).inserted)
        }
        #expect(known == everything.union(["pack", "digest-tar.zst", "digest-raw", "digest-tar"]))
    }

    @Test func `Where things come from and how long they may take is no part of an id`() throws {
        let base = try plan(Definitions.small())
        let moved = try plan(
            Definitions.small {
                $0.name = "db"
                $0.version = "2"
                $0.base = .bootstrap(Bootstrap(mirror: "http://x.org/debian", securityMirror: "http://x.org/security"))
                $0.files[0].content = .local(path: "/elsewhere", digest: Digest(of: [1]), size: ByteCount(1))
                $0.bootCheck.limitSeconds = 7
            })
        #expect(base.ids == moved.ids)
    }

    @Test func `The digest of a definition ignores where its files and packages came from`() throws {
        let base = try plan(Definitions.small())
        let moved = try plan(
            Definitions.small {
                $0.base = .bootstrap(Bootstrap(mirror: "http://x.org/debian"))
                $0.files[0].content = .local(path: "/elsewhere", digest: Digest(of: [1]), size: ByteCount(1))
            })
        #expect(base.definition == moved.definition)
        #expect(base.definition != (try plan(Definitions.small { $0.hostname = "web" }).definition))
    }

    @Test(arguments: Output.Format.allCases.filter { $0 != .qcow2 })
    func `Another output changes no step that was there`(format: Output.Format) throws {
        let base = try plan(Definitions.small())
        for outputs in [[Output(.qcow2), Output(format)], [Output(format), Output(.qcow2)]] {
            let more = try plan(Definitions.small { $0.outputs = outputs })
            #expect(base.stepsChanged(in: more).isEmpty)
            #expect(Set(base.ids.keys).isSubset(of: more.ids.keys))
        }
    }

    @Test func `A command changes everything but the bootstrap`() throws {
        let changed = try plan(Definitions.small { $0.commands = [CommandChange(run: "true")] })
        #expect(try plan(Definitions.small()).stepsChanged(in: changed) == everything.subtracting(["bootstrap"]))
    }

    @Test func `The content of a local file changes everything but the bootstrap`() throws {
        let changed = try plan(
            Definitions.small {
                $0.files[0].content = .local(path: "/home/me/motd", digest: Digest(of: [2]), size: ByteCount(1))
            })
        #expect(try plan(Definitions.small()).stepsChanged(in: changed) == everything.subtracting(["bootstrap"]))
    }

    @Test func `The disk's size keeps the tree`() throws {
        let changed = try plan(Definitions.small { $0.disk.size = .fixed(.gibi(8)) })
        #expect(
            try plan(Definitions.small()).stepsChanged(in: changed)
                == everything.subtracting(["bootstrap", "configure", "clean"]))
    }

    @Test func `The order of packages is no difference`() throws {
        let one = try plan(Definitions.small { $0.packages = ["vim", "less"] })
        let other = try plan(Definitions.small { $0.packages = ["less", "vim"] })
        #expect(one.ids == other.ids)
    }

    @Test(arguments: [(Output.Compression.zstd, "libzstd", "zlib"), (.zlib, "zlib", "libzstd")])
    func `A qcow2 file is that of the library that compresses it`(
        compression: Output.Compression, used: String, other: String
    ) throws {
        let definition = Definitions.small { $0.outputs = [Output(.qcow2, compression: compression)] }
        let base = try plan(definition)
        #expect(base.stepsChanged(in: try plan(definition) { $0.tools[other] = "2.0" }) == [])
        let changed = base.stepsChanged(in: try plan(definition) { $0.tools[used] = "2.0" })
        #expect(changed == ["convert-qcow2", "boot-bios", "boot-uefi"])
    }

    @Test func `The digest of a qcow2 file comes with it, others have a step for it`() throws {
        let plan = try plan(Definitions.small { $0.outputs = [Output(.qcow2), Output(.raw)] })
        #expect(plan.artifacts.map(\.digestStep) == ["convert-qcow2", "digest-raw"])
    }

    @Test(arguments: ([Planner.builder] + Planner.tools(for: Definitions.small())))
    func `Another version of a tool changes the steps that use it and what follows`(tool: String) throws {
        let definition = Definitions.small { $0.outputs = [.init(.qcow2), .init(.raw), .init(.tarZstd)] }
        let base = try plan(definition)
        var expected = Set(base.steps.filter { $0.tools[tool] != nil }.map(\.name))
        #expect(!expected.isEmpty)
        for step in base.steps where step.inputs.values.contains(where: { expected.contains($0.step) }) {
            expected.insert(step.name)
        }
        #expect(base.stepsChanged(in: try plan(definition) { $0.tools[tool] = "2.0" }) == expected)
    }

    @Test func `A new state of a suite changes everything`() throws {
        let changed = try plan(Definitions.small()) { $0.lock?.releases[1].inRelease = Digest(of: [9]) }
        #expect(try plan(Definitions.small()).stepsChanged(in: changed) == everything)
    }

    @Test func `Another version of a package changes everything`() throws {
        let changed = try plan(Definitions.small()) { $0.lock?.packages[0].digest = Digest(of: [9]) }
        #expect(try plan(Definitions.small()).stepsChanged(in: changed) == everything)
    }

    @Test func `Times are those of the newest suite, or what the caller says`() throws {
        let newest = Facts.of(Definitions.small()).lock?.releases.map(\.date).max()
        guard case .configure(let usual) = try plan(Definitions.small()).step(named: "configure")?.action,
            case .configure(let given) = try plan(Definitions.small(), { $0.epoch = 5 }).step(named: "configure")?
                .action
        else {
            Issue.record("there is no configure step")
            return
        }
        #expect(usual.epoch == newest)
        #expect(given.epoch == 5)
    }

    @Test(arguments: [
        (DiskLayout.Firmware.bios, ["boot-bios"]), (.uefi, ["boot-uefi"]), (.both, ["boot-bios", "boot-uefi"]),
    ])
    func `A disk is booted under each firmware that it is made for`(firmware: DiskLayout.Firmware, boots: [String])
        throws
    {
        let plan = try plan(Definitions.small { $0.disk.firmware = firmware })
        #expect(plan.steps.map(\.name).filter { $0.hasPrefix("boot-") } == boots)
    }

    @Test func `Without a disk or a wish to boot it there is no boot`() throws {
        let tar = try plan(Definitions.small { $0.outputs = [Output(.tar)] })
        #expect(tar.steps.map(\.name) == ["bootstrap", "configure", "clean", "digest-tar"])
        let unwished = try plan(Definitions.small { $0.bootCheck.enabled = false })
        #expect(!unwished.steps.contains { $0.name.hasPrefix("boot-") })
    }

    @Test func `Nothing of a secret but its name is in a plan`() throws {
        let base = try plan(
            Definitions.small { $0.secrets = [.init(name: "token", source: .inline(SecretText("hunter2-hunter2")))] })
        #expect(!(try Canonical.text(base)).contains("hunter2"))
        let moved = try plan(
            Definitions.small { $0.secrets = [.init(name: "token", source: .environment("TOKEN"))] })
        #expect(base == moved)
        let other = try plan(Definitions.small { $0.secrets = [.init(name: "key", source: .environment("TOKEN"))] })
        #expect(base.stepsChanged(in: other) == everything.subtracting(["bootstrap"]))
    }

    @Test(arguments: Output.Format.allCases)
    func `Every output is made of the cleaned tree, and nothing but cleaning reads the other one`(
        format: Output.Format
    ) throws {
        let plan = try plan(Definitions.small { $0.outputs = [Output(format)] })
        #expect(plan.steps.filter { $0.inputs.values.contains { $0.step == "configure" } }.map(\.name) == ["clean"])
        #expect(plan.artifacts.allSatisfy { $0.source.step != "configure" })
        #expect(plan.steps.contains { $0.inputs.values.contains { $0.step == "clean" } })
    }

    @Test func `What cleaning removes changes no earlier step`() throws {
        let base = try plan(Definitions.small())
        var changed = base
        changed.steps = []
        for step in base.steps {
            var action = step.action
            if case .clean(let clean) = action {
                action = .clean(
                    CleanAction(revision: clean.revision + 1, secrets: clean.secrets, epoch: clean.epoch))
            }
            changed.steps.append(
                try Step(name: step.name, action: action, inputs: step.inputs, tools: step.tools, after: changed.steps))
        }
        #expect(base.stepsChanged(in: changed) == everything.subtracting(["bootstrap", "configure"]))
    }

    @Test func `A waiver changes the verify step alone`() throws {
        let changed = try plan(Definitions.small { $0.verify.waivers = [.init(rule: "H-24", reason: "a test")] })
        #expect(try plan(Definitions.small()).stepsChanged(in: changed) == ["verify"])
    }

    @Test func `An unknown release is refused`() {
        let definition = Definitions.small { $0.os.release = "sarge" }
        #expect(throws: FactoryError.self) { try plan(definition) }
    }
}
